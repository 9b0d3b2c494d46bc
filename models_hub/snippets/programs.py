"""Snippets in JavaScript, Java and C++: fetch a file of the repository, without a library for hubs."""

from models_hub.snippets.contracts import Snippet, Subject, file_name

_JAVASCRIPT = """\
import {{ writeFile }} from "node:fs/promises";

const response = await fetch(
  "{address}"{options}
);
if (!response.ok) {{
  throw new Error(`${{response.status}} ${{response.headers.get("x-error-message")}}`);
}}
await writeFile("{name}", Buffer.from(await response.arrayBuffer()));
console.log("{name}", response.headers.get("x-repo-commit"));"""

_TRANSFORMERS_JS = """\
import {{ env, pipeline }} from "@huggingface/transformers";

env.remoteHost = "{site}/";
const model = await pipeline("{task}", "{name}");
console.log(await model("{text}"));"""

_JAVA = """\
import java.net.URI;
import java.net.http.*;
import java.nio.file.Path;

public class Fetch {{
  public static void main(String[] args) throws Exception {{
    HttpClient client = HttpClient.newBuilder()
        .followRedirects(HttpClient.Redirect.NORMAL).build();
    HttpRequest request = HttpRequest.newBuilder(
        URI.create("{address}")){header}.build();
    HttpResponse<Path> response = client.send(
        request, HttpResponse.BodyHandlers.ofFile(Path.of("{name}")));
    if (response.statusCode() != 200)
      throw new java.io.IOException("status " + response.statusCode());
    System.out.println(response.body());
  }}
}}"""

_CPP = """\
#include <cstdio>
#include <cstdlib>
#include <curl/curl.h>
#include <string>

int main() {{
  CURL *curl = curl_easy_init();
  std::FILE *file = std::fopen("{name}", "wb");
  if (!curl || !file) return 1;
  curl_easy_setopt(curl, CURLOPT_URL,
      "{address}");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, file);{header}
  CURLcode code = curl_easy_perform(curl);
  std::fclose(file);
  curl_easy_cleanup(curl);
  if (code) std::fprintf(stderr, "%s\\n", curl_easy_strerror(code));
  return code ? 1 : 0;
}}"""

_JAVA_HEADER = """
        .header("Authorization", "Bearer " + System.getenv("HF_TOKEN"))"""
_JAVASCRIPT_OPTIONS = """,
  { headers: { Authorization: `Bearer ${process.env.HF_TOKEN}` } }"""
_CPP_HEADER = """
  std::string token = std::string("Authorization: Bearer ") + std::getenv("HF_TOKEN");
  curl_slist *headers = curl_slist_append(nullptr, token.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);"""
# Tasks that transformers.js has a pipeline for, which takes one text.
_BROWSER_TASKS = {
    "text-classification": "I love this film.",
    "token-classification": "Ada Lovelace was born in London.",
    "fill-mask": "Paris is the [MASK] of France.",
    "feature-extraction": "A sentence to embed.",
    "text-generation": "Once upon a time",
}


def fetching(about: Subject) -> list[Snippet]:
    """Return one snippet for each language, and one that runs the model where a browser could."""
    address, name, closed = about.address(about.example), file_name(about.example), about.is_closed
    javascript = _JAVASCRIPT.format(address=address, name=name, options=_JAVASCRIPT_OPTIONS if closed else "")
    java = _JAVA.format(address=address, name=name, header=_JAVA_HEADER if closed else "")
    cpp = _CPP.format(address=address, name=name, header=_CPP_HEADER if closed else "")
    return [
        *_in_the_browser(about),
        Snippet("javascript", "JavaScript", javascript, "Node.js 18+, fetch.mjs"),
        Snippet("java", "Java", java, "Java 11+, Fetch.java"),
        Snippet("cpp", "C++", cpp, "libcurl, g++ fetch.cpp -lcurl"),
    ]


def _in_the_browser(about: Subject) -> list[Snippet]:
    """transformers.js loads `onnx/model.onnx` and the like, of a model that needs no token."""
    text = _BROWSER_TASKS.get(about.repo.task)
    if not about.repo.is_model or text is None or about.is_closed:
        return []
    if not any(path.startswith("onnx/") and path.endswith(".onnx") for path in about.files):
        return []
    code = _TRANSFORMERS_JS.format(site=about.site, task=about.repo.task, name=about.repo.full_name, text=text)
    return [Snippet("transformers-js", "transformers.js", code, "npm install @huggingface/transformers")]
