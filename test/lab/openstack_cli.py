#!/usr/bin/python3
"""The openstack command line in one process: a JSON list of arguments a line in, a result a line out.

A start of the command costs a second; its hundred commands in one process cost little more. The client
is not changed, but for its pauses between looks at a status, which are cut short.
"""
import contextlib
import io
import json
import sys
import time
import traceback

from openstackclient import shell

PAUSE_S = 0.05
sleep = time.sleep
time.sleep = lambda seconds: sleep(min(seconds, PAUSE_S))


def run(argv):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = shell.OpenStackShell().run(argv)
        except SystemExit as end:
            code = end.code
        except Exception:
            traceback.print_exc()
            code = 1
    return {"code": code or 0, "stdout": out.getvalue(), "stderr": err.getvalue()}


for line in sys.stdin:
    print(json.dumps(run(json.loads(line))), flush=True)
