"""The first code cell of every chapter, written once.

In JupyterLab the course is installed, and the cell does nothing.  In Google Colab it has to fetch the course:
Colab's session list knows which GitHub repository and branch the notebook was opened from (an undocumented list:
after "save a copy in Drive" it holds a Drive id); whatever is odd about it, the repository that
``python -m course.publish OWNER/REPO`` wrote into ``places`` is tried next.  A shallow clone and ``sys.path`` beat
``pip install git+…``: nothing has to be resolved, and the course's assets come along.

Each chapter's text holds this cell word for word (a test compares them), so that a chapter is complete on its own.
"""

SETUP_CELL = r"""
import sys
if "google.colab" in sys.modules:  # Colab has to fetch the course; in JupyterLab this cell does nothing
    import contextlib, os, re, subprocess, urllib.parse, urllib.request
    home, places = "/content/predict-and-adjust", []
    with contextlib.suppress(Exception):  # first choice: where this notebook was opened from
        url = "http://{COLAB_JUPYTER_IP}:{KMP_TARGET_PORT}/api/sessions".format(**os.environ)
        opened = urllib.parse.unquote(urllib.request.urlopen(url, timeout=9).read().decode())
        places[:0] = re.findall(r'github\.com/([\w.-]+/[\w.-]+)/blob/([\w./-]+)/notebooks/', opened)
    for repository, branch in places:  # once the course is there, git leaves it alone
        subprocess.getoutput(f"git clone -q --depth=1 -b {branch} https://github.com/{repository} {home}")
    os.path.isdir(home) or sys.exit("The course was not found: open this chapter with File > Open notebook > GitHub.")
    sys.path.insert(0, home)
""".strip()
