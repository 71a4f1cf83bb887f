"""isolate = on: one customer's mistake does not keep the others from being served, nor from changes."""

import re

import pytest

from lib.client import fetch
from lib.hello import alert_of
from lib.reloads import reload, status
from lib.server import HOST, ORG, ORG_BODY, Server

ON = "isolate = on"
NEW_BODY = ORG_BODY.replace(b"604800", b"86400")
NET = "mta-sts.example.net"
OTHER = "[example.net]\nmode = testing\nmx = mx.example.net\n"
