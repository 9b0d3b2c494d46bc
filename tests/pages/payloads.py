"""Sixty texts that would run something if a page took them for more than text; each calls `RUN`, or leaves the page."""

from functools import cache

RUN = "top.__xss=(top.__xss||0)+1"
FAR = "https://evil.example"
_DATA = "data:text/html;base64,PHNjcmlwdD50b3AuX194c3M9MTwvc2NyaXB0Pg=="
_LINES = f"""
<script>{RUN}</script>
<ScRiPt >{RUN}</sCrIpT>
<script src={FAR}/a.js></script>
<script src=//evil.example/a.js async></script>
<script type=module>{RUN}</script>
</script><script>{RUN}</script>
</title><script>{RUN}</script>
</textarea><script>{RUN}</script>
</style><script>{RUN}</script>
--><script>{RUN}</script>
<!--><script>{RUN}</script>-->
<img src=x onerror={RUN}>
<img src=x onerror='{RUN}'//
<img/src/onerror={RUN}>
"><img src=x onerror={RUN}>
'><img src=x onerror={RUN}>
" onmouseover="{RUN}" autofocus onfocus="{RUN}" x="
' autofocus onfocus='{RUN}' x='
` onfocus=`{RUN}` autofocus
<svg onload={RUN}>
<svg/onload={RUN}//
<svg><script>{RUN}</script></svg>
<svg><animate onbegin={RUN} attributeName=x dur=1s>
<svg><a xlink:href="javascript:{RUN}"><text y=20>x</text></a></svg>
<svg><use href="data:image/svg+xml;base64,PHN2Zy8+#x"></use></svg>
<svg><style><img src=x onerror={RUN}></style></svg>
<math><mtext><table><mglyph><style><img src=x onerror={RUN}></style></mglyph></table></mtext></math>
<math href="javascript:{RUN}">x</math>
<math><mi//xlink:href="data:x,<script>{RUN}</script>">
<iframe src="javascript:{RUN}"></iframe>
<iframe srcdoc="<script>{RUN}</script>"></iframe>
<iframe src="{_DATA}"></iframe>
<object data="{_DATA}"></object>
<embed src="{_DATA}">
<a href="javascript:{RUN}">x</a>
<a href="&#106;avascript:{RUN}">x</a>
<a href="java&Tab;script:{RUN}">x</a>
<a href="{_DATA}">x</a>
<form action="javascript:{RUN}"><button autofocus>x</button></form>
<button formaction="javascript:{RUN}">x</button>
<input autofocus onfocus={RUN}>
<select autofocus onfocus={RUN}></select>
<details open ontoggle={RUN}>x</details>
<video><source onerror={RUN}></video>
<audio src=x onerror={RUN}></audio>
<body onload={RUN}>
<base href="{FAR}/">
<meta http-equiv=refresh content="0;url={FAR}/">
<link rel=stylesheet href="{FAR}/a.css">
<style>@import "{FAR}/a.css"; body {{ background: url({FAR}/a.png) }}</style>
<div style="background:url({FAR}/a.png)">x</div>
<div hx-get=/ hx-trigger=load hx-on::load="{RUN}">x</div>
<div data-bs-toggle=tooltip title="<img src=x onerror={RUN}>">x</div>
<noscript><p title="</noscript><img src=x onerror={RUN}>">
<template><script>{RUN}</script></template>
[x](javascript:{RUN})
![x]({FAR}/a.png"onerror="{RUN})
$\\href{{javascript:{RUN}}}{{x}}$ $\\text{{<img src=x onerror={RUN}>}}$
{{{{ constructor.constructor('{RUN}')() }}}} {{% debug %}} ${{{RUN}}} <%= {RUN} %>
\u202e<scr\u0131pt>{RUN}</scr\u0131pt>\uff1cscript\uff1e{RUN}\uff1c/script\uff1e\u2028<script>{RUN}</script>
"""
LINES = _LINES.strip("\n").split("\n")
MERMAID = (
    f'```mermaid\ngraph TD; A["<img src=x onerror={RUN}>"] --> B; click B href "javascript:{RUN}"\n```\n\n'
    f'```mermaid\n%%{{init: {{"securityLevel": "loose"}}}}%%\ngraph TD; A["<script>{RUN}</script>"]\n```'
)
BLOCKS = [f"[x]: javascript:{RUN}\n[y][x]", f"<javascript:{RUN}>", f"> [!NOTE]<img src=x onerror={RUN}>", MERMAID]


@cache
def document() -> str:
    """All of them as a Markdown text, each a paragraph of its own."""
    return "\n\n".join([*LINES, *BLOCKS])


def names() -> list[str]:
    """All of them as names of files: without what a path may not hold."""
    return [line.replace("/", "∕")[:120].strip() for line in LINES]
