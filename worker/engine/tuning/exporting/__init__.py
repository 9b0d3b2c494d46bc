"""Models in the formats of other programs: ONNX, GGUF, and safetensors made of pickles."""
