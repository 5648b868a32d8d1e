"""The style of the report, in the colours of the other pages (web/look/tokens.css)."""

from typing import Final

MARK: Final = (
    '<svg class="mark" viewBox="0 0 24 24" width="28" height="28" aria-hidden="true"><path d="M6.63 9.80A14.90 14.90 0 '
    "0 1 17.17 1.39 14.90 14.90 0 0 1 18.61 9.80ZM17.37 14.20A14.90 14.90 0 0 1 6.83 22.61 14.90 14.90 0 0 1 5.39 "
    '14.20ZM1 11.2h22v1.6H1Z"/></svg>'
)

SIGNS: Final = {
    "certified": '<path d="M5 12.5l4.5 4.5L19 7.5"/>',
    "not certified": '<path d="M6 6l12 12M18 6L6 18"/>',
    "broken": '<path d="M12 4v9M12 18v.5"/>',
}

STYLE: Final = """
:root{color-scheme:light dark;--ink:#16202a;--quiet:#52606d;--paper:#fbfaf7;--raised:#fff;--line:#dedbd3;--yes:#0b7285;
--no:#c2410c;--gold:#b7791f;--good:#2f7d32;--bad:#b42318;--neutral:#1b1f24}
@media (prefers-color-scheme:dark){:root{--ink:#e8e6e1;--quiet:#a3adb8;--paper:#12171c;--raised:#232a32;--line:#343d46;
--yes:#3bc9db;--no:#ff8f5c;--gold:#f0c36d;--good:#6cc070;--bad:#ff8a7d}}
*{box-sizing:border-box}
html{background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif;font-variant-numeric:tabular-nums;
-webkit-text-size-adjust:100%}
body{margin:0}
main{max-width:720px;margin:0 auto;padding:24px 16px 48px}
header{display:flex;align-items:center;gap:8px;color:var(--quiet)}
header p{margin:0}
.mark{fill:var(--gold);flex:none}
h1{font-size:1.728rem;line-height:1.2;margin:24px 0 8px;overflow-wrap:anywhere;text-wrap:balance}
h2{font-size:1.2rem;margin:40px 0 8px}
p{margin:8px 0}
.verdict{display:flex;align-items:center;gap:8px;font-weight:600;margin:24px 0 0}
.verdict svg{flex:none;fill:none;stroke:currentColor;stroke-width:2.6;stroke-linecap:round;stroke-linejoin:round}
.good{color:var(--good)}.bad{color:var(--bad)}
.quiet{color:var(--quiet)}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(144px,1fr));gap:16px 16px;margin:24px 0;padding:0}
.facts div{border-top:1px solid var(--line);padding-top:8px}
.facts dt{color:var(--quiet);font-size:.833rem}
.facts dd{margin:0;font-size:1.44rem;font-weight:600;line-height:1.2}
.facts dd small{display:block;font-size:.833rem;font-weight:400;color:var(--quiet);line-height:1.5}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:8px 12px 8px 0;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:400;color:var(--quiet)}
td.number,th.number{text-align:right}
td,code,a{overflow-wrap:anywhere}
code{font:.875em ui-monospace,monospace}
pre{margin:8px 0;padding:12px;border:1px solid var(--line);border-radius:8px;overflow-x:auto;white-space:pre-wrap}
a{color:inherit}
.chart{display:block;margin:16px 0 0;max-width:100%}
.chart.narrow{display:none}
.chart text{font:13px system-ui,sans-serif;fill:var(--quiet)}
.chart .told{fill:var(--ink)}.chart .strong{font-weight:600}
.grid{stroke:var(--line)}
.band{fill:var(--yes);fill-opacity:.16}
.lower{fill:none;stroke:var(--yes);stroke-width:2}
.target{stroke:var(--ink);stroke-dasharray:5 4}
.end{fill:var(--yes)}
.found{display:grid;grid-template-columns:repeat(auto-fill,minmax(144px,1fr));gap:16px;margin:16px 0;padding:0;
list-style:none}
.found img{display:block;width:100%;height:144px;object-fit:contain;background:var(--neutral);border-radius:8px}
.found p{margin:4px 0 0;font-size:.833rem;line-height:1.4;overflow-wrap:anywhere}
footer{margin-top:48px;border-top:1px solid var(--line);padding-top:8px;color:var(--quiet);font-size:.833rem}
@media (max-width:680px){.chart.wide{display:none}.chart.narrow{display:block}main{padding:16px 16px 40px}
h1{font-size:1.44rem}.table{overflow-x:auto}}
@media print{main{max-width:none}.found img{height:96px}}
"""
