# SPDX-License-Identifier: GPL-2.0
"""
What stands before servers of other hosts for tests/bench/content.py: clients connect to its own address, and are to be
served by the host whose name is in their ClientHello.
"""
import os
import signal

from forwarded_subjects import Forwarded, ForwardedDirect
from measuring import PROGRAMS, Namespace
from synproxy_subjects import Direct, Palisade, Tracked

PROXIES = f"{PROGRAMS}/proxies"
HAPROXY = "env", f"LD_LIBRARY_PATH={PROXIES}/usr/lib/x86_64-linux-gnu", f"{PROXIES}/usr/sbin/haproxy"
# The first one's server is nowhere.
SITES = {"shop.example.org": "192.0.2.1", "old.example.org": "SERVER", "www.example.org": "SERVER"}


class Chooser(Forwarded):
    """RULES name its server SERVER."""

    def __init__(self, number):
        super().__init__(number)
        self.address = self.own_address
        self.RULES = [rule.replace("SERVER", self.host.address) for rule in self.RULES]

    def counters(self):
        return {**super().counters(), "Own.PassiveOpens": Namespace.counters(self)["Tcp.PassiveOpens"]}


class Translated(Chooser, Tracked):
    """Does not choose: all clients are sent to one server."""
    name = "dnat"
    RULES = ["iptables -t nat -A PREROUTING -p tcp --dport 80 -j DNAT --to-destination SERVER"]


class ChoosingPalisade(Chooser, Palisade):
    opens = "palisade.opened_by_data"
    RULES = [*(f"{rule} --until-data" for rule in Palisade.RULES),
             *(f"palisade -t nat -A PREROUTING -p tcp --dport 80 -m tls --host {name} -j DNAT --to-destination {server}"
               for name, server in SITES.items())]


class Program(Chooser, Direct):
    """Accepts connections, reads the ClientHello, opens connections to the server, and copies what comes from either."""
    opens = "Own.PassiveOpens"

    def load(self):
        self.pid_file, file = (f"/tmp/{self.name}.{what}" for what in ("pid", "conf"))
        with open(file, "w") as output:
            output.writelines(f"{line}\n" for line in self.RULES)
        # Once it is in the background, it listens.
        self.on(*self.command(file))

    def end(self):
        with open(self.pid_file) as file:
            os.kill(int(file.readline()), signal.SIGTERM)
        super().end()


class Nginx(Program):
    name = "nginx"
    RULES = [f"load_module {PROXIES}/usr/lib/nginx/modules/ngx_stream_module.so;",
             "pid /tmp/nginx.pid;",
             "error_log /tmp/nginx.log;",
             "user root;",
             "worker_processes 1;",
             "events { }",
             "stream {",
             "map $ssl_preread_server_name $server {",
             *(f"{name} {server}:80;" for name, server in SITES.items()),
             "}",
             "server { listen 80; ssl_preread on; proxy_pass $server; }",
             "}"]

    def command(self, file):
        return "nginx", "-c", file


class Haproxy(Program):
    name = "haproxy"
    RULES = ["defaults",
             "mode tcp",
             "timeout connect 5s",
             "timeout client 50s",
             "timeout server 50s",
             "frontend all",
             "bind :80",
             "tcp-request inspect-delay 5s",
             "tcp-request content accept if { req.ssl_hello_type 1 }",
             *(f"use_backend {name} if {{ req.ssl_sni -i {name} }}" for name in SITES),
             *(line for name, server in SITES.items() for line in (f"backend {name}", f"server {name} {server}:80"))]

    def command(self, file):
        return *HAPROXY, "-D", "-f", file, "-p", self.pid_file


class SplicingHaproxy(Haproxy):
    """Bytes that are not looked at stay in the kernel."""
    name = "haproxy-splice"
    RULES = [*Haproxy.RULES[:1], "option splice-auto", *Haproxy.RULES[1:]]


CHOOSERS = (ForwardedDirect, Translated, Nginx, Haproxy, SplicingHaproxy, ChoosingPalisade)
