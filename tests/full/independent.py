"""A script of plain transformers and scikit-learn: predicts files with model folders, with none of our code.

Usage: python independent.py JSON, a list of [MODEL_DIR, DATA.jsonl, LABELS, MAX_LENGTH]; prints a list of metrics.
"""

import json
import sys

import torch
from sklearn import metrics
from transformers import AutoModelForSequenceClassification, AutoTokenizer


def main(folder: str, data: str, labels: list[str], max_length: int) -> dict[str, float]:
    torch.set_num_threads(1)
    with open(data, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file if line.strip()]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    limit = min(max_length, model.config.max_position_embeddings)
    predicted = []
    with torch.inference_mode():
        for row in rows:
            inputs = tokenizer(row["text"], truncation=True, max_length=limit, return_tensors="pt")
            predicted.append(model.config.id2label[int(model(**inputs).logits.argmax(-1))])
    gold = [row["label"] for row in rows]
    average = {"labels": labels, "average": "macro", "zero_division": 0}
    return {
        "accuracy": metrics.accuracy_score(gold, predicted),
        "precision_macro": metrics.precision_score(gold, predicted, **average),
        "recall_macro": metrics.recall_score(gold, predicted, **average),
        "f1_macro": metrics.f1_score(gold, predicted, **average),
        "mcc": metrics.matthews_corrcoef(gold, predicted),
    }


if __name__ == "__main__":
    print(json.dumps([main(*asked) for asked in json.loads(sys.argv[1])]))
