"""What people look at: pages as text, made of values alone, in the reader's language.

    words.py         the reader's language; what pages say stands in the modules `*words_<language>`
    strangers.py     what others wrote, made fit for a page
    context.py       who looks, when, and where links lead
    templates.py     the template engine, and how times, positions and sizes are written
    static_files.py  style sheets and script, under names that may be kept for good
    view.py          what the page of a job is made of
    job.py           that page
    report.py        the same in one file
    notices.py       what to know first of a job
    findings.py      its findings by check, page by page
    timeline.py      where each of them is in time, as marks of a bounded number
    raw_window.py    a raw answer around one place, in lines of a bounded number
    pictures.py      how large a picture is
    list.py, overview.py, error.py   the other pages

Templates lie beside the modules: `layout.html` is the frame of each page (blocks `title`, `main`),
`parts.html` has what several say alike. Nothing here reads a store or a clock.
"""
