/* The matrix as one page without any request to elsewhere: a table whose rows send and whose
 * columns receive, grouped by namespace. Answers differ in colour and in shape, a cell tells its
 * ports when it is pointed at or focused, and a filter hides what does not match. Without scripts
 * the table is whole and the ports are in the cells' titles. */
#include <stdlib.h>
#include <string.h>

#include "front/reach_print.h"

static void add_escaped(struct buf *out, const char *text)
{
    char *clean = clean_text(text);

    for (const char *p = clean; *p != '\0'; p++) {
        switch (*p) {
        case '&':
            buf_adds(out, "&amp;");
            break;
        case '<':
            buf_adds(out, "&lt;");
            break;
        case '>':
            buf_adds(out, "&gt;");
            break;
        case '"':
            buf_adds(out, "&quot;");
            break;
        case '\'':
            buf_adds(out, "&#39;");
            break;
        default:
            buf_add(out, p, 1);
        }
    }
    free(clean);
}

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'; script-src 'unsafe-inline'\">\n"
    "<title>Who can reach whom</title>\n<style>\n"
    ":root{--bg:#fff;--fg:#1b1f24;--line:#d7dce1;--dim:#6a737d;--all:#c0392b;--some:#1e7b3a;"
    "--maybe:#b7791f;--none:#eef1f4}\n"
    "@media (prefers-color-scheme:dark){:root{--bg:#14171b;--fg:#e6e9ec;--line:#333a42;"
    "--dim:#98a2ad;--all:#ff6b5e;--some:#4cc274;--maybe:#f0b429;--none:#1f242a}}\n"
    "body{background:var(--bg);color:var(--fg);font:14px/1.4 system-ui,sans-serif;margin:1rem}\n"
    "h1{font-size:1.2rem;margin:0 0 .3rem}p{margin:.2rem 0 .6rem;color:var(--dim)}\n"
    "input{font:inherit;padding:.3rem .5rem;min-width:18rem;max-width:100%;background:var(--bg);"
    "color:var(--fg);border:1px solid var(--line);border-radius:4px}\n"
    "#tell{min-height:1.4em;font-weight:600;color:var(--fg)}\n"
    ".legend span{display:inline-block;margin-right:1rem}\n"
    ".wrap{overflow:auto;max-height:80vh;border:1px solid var(--line)}\n"
    "table{border-collapse:collapse}\n"
    "th,td{border:1px solid var(--line);padding:0}\n"
    "td{width:1.15rem;min-width:1.15rem;height:1.15rem;text-align:center;font-size:.8rem;"
    "line-height:1.15rem}\n"
    "th{font-weight:400;font-size:.75rem;text-align:left;white-space:nowrap;padding:0 .4rem;"
    "background:var(--bg)}\n"
    "thead th{position:sticky;top:0;z-index:2;vertical-align:bottom;padding:.4rem 0}\n"
    "thead th span{writing-mode:vertical-rl;transform:rotate(180deg);display:inline-block;"
    "max-height:16rem;overflow:hidden}\n"
    "tbody th{position:sticky;left:0;z-index:1}\n"
    "thead th:first-child{left:0;z-index:3}\n"
    "b.n{display:inline-block;width:1.4rem;text-align:center}\n"
    ".g{border-top:2px solid var(--dim)}.h{border-left:2px solid var(--dim)}\n"
    ".a{color:var(--bg);background:var(--all)}.s{color:var(--bg);background:var(--some)}\n"
    ".m{color:var(--bg);background:var(--maybe)}.n{background:var(--none);color:var(--dim)}\n"
    "td.n::before,b.n::before{content:'\\2013'}\n"
    ".x{background:repeating-linear-gradient(45deg,var(--line),var(--line) 2px,transparent "
    "2px,transparent 5px)}\n"
    "td:focus{outline:2px solid var(--fg);outline-offset:-2px}\n"
    "@media print{.wrap{max-height:none;overflow:visible}input,#tell{display:none}}\n"
    "</style></head>\n<body>\n<h1>Who can reach whom</h1>\n";

static const char script[] =
    "<script>\n"
    "const tell=document.getElementById('tell'),table=document.querySelector('table');\n"
    "const name=(c)=>c.textContent;\n"
    "function say(td){if(!td||td.tagName!=='TD')return;const row=td.parentNode,"
    "cols=table.tHead.rows[0].cells;\n"
    "tell.textContent=name(row.cells[0])+' \\u2192 '+name(cols[td.cellIndex])+': '+"
    "(td.title||'denied');}\n"
    "table.addEventListener('mouseover',(e)=>say(e.target));\n"
    "table.addEventListener('focusin',(e)=>say(e.target));\n"
    "table.addEventListener('keydown',(e)=>{const td=e.target;if(td.tagName!=='TD')return;"
    "const row=td.parentNode,i=td.cellIndex;let to=null;\n"
    "if(e.key==='ArrowRight')to=td.nextElementSibling;else if(e.key==='ArrowLeft')"
    "to=td.previousElementSibling;\n"
    "else if(e.key==='ArrowDown'&&row.nextElementSibling)to=row.nextElementSibling.cells[i];\n"
    "else if(e.key==='ArrowUp'&&row.previousElementSibling)"
    "to=row.previousElementSibling.cells[i];\n"
    "if(to&&to.tagName==='TD'){to.tabIndex=0;to.focus();e.preventDefault();}});\n"
    "document.getElementById('filter').addEventListener('input',(e)=>{const q="
    "e.target.value.toLowerCase();\n"
    "const cols=[...table.tHead.rows[0].cells],keep=cols.map((c,i)=>i===0||!q||"
    "name(c).toLowerCase().includes(q)),used=[...keep];\n"
    "for(const row of table.tBodies[0].rows){const own=!q||name(row.cells[0]).toLowerCase()"
    ".includes(q);\n"
    "let any=own;for(let i=1;i<row.cells.length;i++){const show=own||keep[i];"
    "row.cells[i].style.visibility=show?'':'hidden';\n"
    "const some=!row.cells[i].classList.contains('n')&&!row.cells[i].classList.contains('x');\n"
    "any=any||(keep[i]&&some);used[i]=used[i]||(own&&some);}\n"
    "row.style.display=any?'':'none';}\n"
    "for(const row of table.rows)for(let i=1;i<row.cells.length;i++)"
    "row.cells[i].style.display=used[i]?'':'none';});\n"
    "</script>\n</body></html>\n";

static const struct ns *namespace_of(const struct reach_matrix *x, size_t i)
{
    const struct workload *w = reach_matrix_peer(x, i)->workload;

    return w != NULL ? w->ns : NULL;
}

static bool begins_group(const struct reach_matrix *x, size_t i)
{
    return i == 0 || namespace_of(x, i) != namespace_of(x, i - 1);
}

static void add_cell(const struct reach_matrix *x, size_t from, size_t to, struct buf *out)
{
    const struct port_table *t = reach_matrix_ports(x);
    bool outside = namespace_of(x, from) == NULL && namespace_of(x, to) == NULL;
    struct matrix_answer a = reach_matrix_at(x, from, to);
    const char *side = begins_group(x, to) ? " h" : "";

    if (from == to || outside) {
        buf_addf(out, "<td class=\"x%s\"></td>", side);
        return;
    }
    if (a.allowed == PORTS_NONE && a.unknown == PORTS_NONE) {
        buf_addf(out, "<td class=\"n%s\" tabindex=\"-1\"></td>", side);
        return;
    }
    struct buf text;
    buf_init(&text, 1 << 16);
    if (a.allowed != PORTS_NONE) {
        buf_adds(&text, "allowed ");
        ports_text(t, a.allowed, &text);
    }
    if (a.unknown != PORTS_NONE) {
        buf_adds(&text, a.allowed != PORTS_NONE ? "; not known " : "not known ");
        ports_text(t, a.unknown, &text);
        buf_addf(&text, " (%s)", a.construct != NULL ? a.construct : "");
    }
    buf_addf(out, "<td class=\"%s%s\" tabindex=\"%s\" title=\"",
             a.unknown != PORTS_NONE  ? "m"
             : a.allowed == PORTS_ALL ? "a"
                                      : "s",
             side, from == 0 || to == 0 ? "0" : "-1");
    add_escaped(out, buf_text(&text));
    buf_addf(out, "\">%s</td>",
             a.unknown != PORTS_NONE  ? "?"
             : a.allowed == PORTS_ALL ? "&#9632;"
                                      : "&#9679;");
    buf_deinit(&text);
}

int reach_matrix_html(const struct reach_matrix *x, struct buf *out)
{
    size_t n = reach_matrix_count(x);

    buf_adds(out, head);
    buf_addf(out,
             "<p>%zu peers. Rows send, columns receive; ports are those of the receiver.</p>\n", n);
    buf_adds(out,
             "<p class=\"legend\"><span><b class=\"a\">&nbsp;&#9632;&nbsp;</b> every port</span>"
             "<span><b class=\"s\">&nbsp;&#9679;&nbsp;</b> some ports</span>"
             "<span><b class=\"m\">&nbsp;?&nbsp;</b> not known</span>"
             "<span><b class=\"n\"></b> denied</span></p>\n"
             "<p><input id=\"filter\" type=\"search\" placeholder=\"namespace, workload, kind or "
             "address\" aria-label=\"Show only peers whose name holds this\"></p>\n"
             "<p id=\"tell\" role=\"status\"></p>\n<div class=\"wrap\"><table>\n"
             "<thead><tr><th scope=\"col\">from \\ to</th>");
    for (size_t i = 0; i < n; i++) {
        buf_addf(out, "<th scope=\"col\"%s><span>", begins_group(x, i) ? " class=\"h\"" : "");
        add_escaped(out, reach_matrix_peer(x, i)->name);
        buf_adds(out, "</span></th>");
    }
    buf_adds(out, "</tr></thead>\n<tbody>\n");
    for (size_t from = 0; from < n; from++) {
        buf_addf(out, "<tr%s><th scope=\"row\">", begins_group(x, from) ? " class=\"g\"" : "");
        add_escaped(out, reach_matrix_peer(x, from)->name);
        buf_adds(out, "</th>");
        for (size_t to = 0; to < n; to++) {
            add_cell(x, from, to, out);
        }
        buf_adds(out, "</tr>\n");
    }
    buf_adds(out, "</tbody></table></div>\n");
    return buf_adds(out, script);
}
