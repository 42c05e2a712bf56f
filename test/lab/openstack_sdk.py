#!/usr/bin/python3
"""openstacksdk's load balancer proxy: a call a line in, its result a line out.

A call is a JSON list of the method's name, its positional and its named arguments. The login comes from
the environment.
"""
import json
import sys
import time
import types

import openstack

PAUSE_S = 0.05
sleep = time.sleep
time.sleep = lambda seconds: sleep(min(seconds, PAUSE_S))

connection = openstack.connect()
proxy = connection.load_balancer


def plain(value):
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if isinstance(value, (list, tuple, types.GeneratorType)):
        return [plain(each) for each in value]
    return value


# Newer releases have these in the proxy of every service; they wait and send nothing of their own.
OF_EVERY_SERVICE = ("wait_for_delete", "wait_for_status")


def methods():
    found = (name for name, value in vars(type(proxy)).items() if callable(value) and name[0] != "_")
    return sorted(name for name in found if name not in OF_EVERY_SERVICE)


def call(name, args, named):
    if name == "methods":
        return methods()
    if name == "project":
        return connection.current_project_id
    if name == "wait_for_load_balancer":
        return plain(proxy.wait_for_load_balancer(*args, **named))
    return plain(getattr(proxy, name)(*args, **named))


for line in sys.stdin:
    try:
        answer = {"result": call(*json.loads(line))}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer, default=str), flush=True)
