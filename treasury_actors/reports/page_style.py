"""The one stylesheet of a report: light, for a wide screen, a phone and paper. It loads nothing."""

STYLE = """
:root{--ink:#1c2430;--soft:#5d6776;--faint:#8b94a3;--paper:#fcfbf8;--card:#fff;--rule:#e5e1d8;--hair:#efece5;
--arena:#0b5d66;--lending:#c27c0e;--agents:#7b5ea7;--random:#9aa3b0;--weight:#4f7fb8;--tbill:#8a8f3c;
--gain:#3f8f7a;--loss:#b6463f;--warn:#9a5b00}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,
"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums lining-nums}
main{max-width:1120px;margin:0 auto;padding:0 24px 72px}
h1,h2,h3{font-family:Charter,"Iowan Old Style","Palatino Linotype",Palatino,Georgia,"Liberation Serif",serif;
font-weight:600;line-height:1.18;letter-spacing:-.005em;margin:0}
h1{font-size:clamp(1.9rem,4.6vw,3rem)}
h2{font-size:1.5rem;margin:64px 0 4px}
h3{font-size:1.06rem;margin:0 0 2px}
p{margin:.5em 0;max-width:72ch}
code{font:.86em/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;
overflow-wrap:anywhere}
.band-top{border-bottom:1px solid var(--rule);background:var(--card)}
.band-top div{max-width:1120px;margin:0 auto;padding:14px 24px;display:flex;flex-wrap:wrap;gap:6px 18px;
align-items:baseline}
.chip{font:700 .76rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif;
letter-spacing:.09em;padding:3px 9px;border-radius:4px;color:#fff;
background:var(--warn)}
.chip.LIVE{background:var(--arena)}
.chip.GENERATED{background:repeating-linear-gradient(135deg,#7a4a00 0 10px,#9a5b00 10px 20px)}
.means{color:var(--soft);font-size:.94rem}
.run{margin-left:auto;color:var(--faint);font-size:.86rem;overflow-wrap:anywhere}
.top{display:grid;grid-template-columns:1.25fr 1fr;grid-template-areas:"head verdict" "chart verdict";
gap:24px 40px;padding-top:44px;align-items:start}
.top .head{grid-area:head}.top .verdict{grid-area:verdict}.top figure{grid-area:chart}
h1 .chip{display:block;width:max-content;margin-bottom:14px}
.top .gain{font-size:1.18rem;color:var(--soft);margin-top:14px}
.top .gain b{color:var(--ink)}
.sub{color:var(--soft);font-size:.95rem}
.verdict{background:var(--card);border:1px solid var(--rule);border-left:5px solid var(--warn);
border-radius:6px;padding:18px 22px}
.verdict.SUPPORTED{border-left-color:var(--arena)}
.verdict h2{margin:0 0 8px;font-size:1.22rem}
.verdict ul{margin:0;padding-left:1.1em;font-size:.93rem}
.verdict li{margin:.34em 0}
.verdict h3{margin-top:14px;font-size:.98rem}
.figures{display:grid;grid-template-columns:repeat(4,1fr);gap:1px;background:var(--rule);border:1px solid
var(--rule);border-radius:6px;overflow:hidden;margin:36px 0 0}
.figures div{background:var(--card);padding:16px 18px}
.figures dt{font-size:.8rem;color:var(--soft);letter-spacing:.01em}
.figures dd{margin:0}
.figures .n{font-size:1.5rem;font-weight:600;line-height:1.3;letter-spacing:-.01em}
.figures .d{font-size:.79rem;line-height:1.42;color:var(--soft)}
.loss{color:var(--loss)}
a{color:inherit;text-decoration-color:var(--rule);text-underline-offset:3px}
.pair>*{min-width:0}.narrow{max-width:640px}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:28px;margin-top:20px}
figure{margin:0;min-width:0;background:var(--card);border:1px solid var(--rule);border-radius:6px;
padding:16px 18px 10px}
.pair.uneven{grid-template-columns:5fr 6fr;align-items:start}.pair.uneven .boxed{margin:0}
figcaption p{margin:0;color:var(--soft);font-size:.86rem;line-height:1.45}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:2px 16px;margin:8px 0 4px;padding:0;font-size:.84rem;
color:var(--soft)}
.legend li::before{content:"";display:inline-block;width:16px;height:3px;border-radius:2px;margin-right:6px;
vertical-align:middle;background:currentColor}
.legend.blocks li::before{height:10px;width:10px}
.legend span{color:var(--ink)}
.scroll{overflow-x:auto;-webkit-overflow-scrolling:touch}
svg{display:block;width:100%;height:auto}
svg text{font:12.5px system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
fill:var(--soft)}
svg .y,svg .name,svg .value{text-anchor:end}
svg .name,svg .value{fill:var(--ink);font-size:13.5px}
svg .label{fill:var(--faint);font-size:10.5px;font-weight:700;letter-spacing:.09em}
svg .empty{text-anchor:middle}
svg .grid{stroke:var(--hair)}svg .axis{stroke:#b9b4a8}
svg .line{fill:none;stroke-width:1.9;stroke-linejoin:round;stroke-linecap:round}
svg .line.arena{stroke:var(--arena);stroke-width:2.6}svg .line.lending{stroke:var(--lending)}
svg .line.agents{stroke:var(--agents)}svg .line.random{stroke:var(--random)}
svg .line.weight{stroke:var(--weight)}
svg .line.tbill{stroke:var(--tbill);stroke-dasharray:5 4}
svg .line.fall{stroke:var(--loss);stroke-width:1.4}svg .band.fall{fill:var(--loss);opacity:.16}
svg .band.arena{fill:var(--arena);opacity:.15}svg .line.best{stroke:var(--lending)}
svg .bar.gain{fill:var(--gain)}svg .bar.loss{fill:var(--loss)}svg .bar.arena{fill:var(--arena)}
.arena{color:var(--arena)}.lending{color:var(--lending)}.agents{color:var(--agents)}.random{color:var(--random)}
.weight{color:var(--weight)}.tbill{color:var(--tbill)}.best{color:var(--lending)}.fall{color:var(--loss)}
.c0{color:#0b5d66;fill:#0b5d66}.c1{color:#c98a2b;fill:#c98a2b}.c2{color:#5b86b8;fill:#5b86b8}
.c3{color:#8a6bae;fill:#8a6bae}.c4{color:#5f9e6e;fill:#5f9e6e}.c5{color:#b8605a;fill:#b8605a}
.c6{color:#93953f;fill:#93953f}.c7{color:#4f6d7a;fill:#4f6d7a}.c8{color:#c9c3b4;fill:#c9c3b4}
.c9{color:#d79a9a;fill:#d79a9a}
table{border-collapse:collapse;width:100%;font-size:.9rem;margin-top:14px;background:var(--card)}
.boxed{border:1px solid var(--rule);border-radius:6px;overflow:hidden;margin-top:14px}
.boxed table{margin:0}
.dense table{font-size:.84rem}.dense th,.dense td{padding:6px 8px}
.dense th{white-space:normal;font-size:.76rem}
th,td{padding:7px 12px;text-align:right;border-bottom:1px solid var(--hair);white-space:nowrap}
th{font-weight:600;font-size:.8rem;color:var(--soft);border-bottom-color:var(--rule);vertical-align:bottom}
th.l,td.l{text-align:left}
td.w{white-space:normal;text-align:left;min-width:16em}
tr:last-child td{border-bottom:0}
tr.sum td{border-top:1.5px solid var(--ink);font-weight:600}
tr.dead td{color:var(--soft);background:#faf8f3}
.note{font-size:.86rem;color:var(--soft);max-width:86ch}
.tree ul{list-style:none;margin:0;padding-left:22px;border-left:1px solid var(--rule)}
.tree>ul{border:0;padding:0;columns:2;column-gap:40px}
.tree>ul>li{break-inside:avoid;padding:10px 0}
.tree li{font-size:.9rem;line-height:1.5}
.tree small{color:var(--soft);font-size:.84rem}
.list{padding-left:1.1em;max-width:86ch}.list li{margin:.3em 0;font-size:.93rem}
dl.terms{display:grid;grid-template-columns:max-content 1fr;gap:6px 22px;font-size:.93rem;margin:14px 0 0}
dl.terms dt{font-weight:600}dl.terms dd{margin:0;color:var(--soft);max-width:78ch;overflow-wrap:anywhere}
footer{margin-top:56px;padding-top:16px;border-top:1px solid var(--rule);color:var(--faint);font-size:.84rem}
@media(max-width:900px){
.top{grid-template-columns:1fr;grid-template-areas:"head" "verdict" "chart"}
.figures{grid-template-columns:repeat(2,1fr)}
.pair,.pair.uneven{grid-template-columns:1fr}.tree>ul{columns:1}}
@media(max-width:560px){main{padding:0 16px 48px}.band-top div{padding:12px 16px}.top{padding-top:28px}
h2{margin-top:48px}.figures .n{font-size:1.22rem}.figures div{padding:12px}figure{padding:12px 10px 8px}
td.w{min-width:11em}.scroll svg{min-width:440px}.run{margin-left:0}dl.terms{grid-template-columns:1fr;gap:0}
dl.terms dd{margin-bottom:10px}.verdict{padding:16px}th,td{padding:7px 9px}}
@media print{body{background:#fff}figure,.verdict,.boxed{break-inside:avoid}}
"""
