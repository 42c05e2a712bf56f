"""Upstream's driver of amphorae, as a program which is asked line by line in JSON.

A question is {"do": NAME, ...}; an answer {"ok": VALUE} or {"error": TEXT}.
"""

import base64
import json
import logging
import sys

from octavia.amphorae.backends.health_daemon import status_message
from octavia.amphorae.drivers.haproxy import rest_api_driver
from octavia.common import config
from octavia.common import constants
from octavia.common import data_models

CONF = config.cfg.CONF
FAMILY = "10.20.0.0/24"


class Story:
    """One amphora and its load balancer, from the first call on."""

    def setup(self, asked):
        CONF([], project="octavia")
        CONF.set_override("client_cert", asked["client_cert"], "haproxy_amphora")
        CONF.set_override("server_ca", asked["server_ca"], "haproxy_amphora")
        CONF.set_override("connection_max_retries", 20, "haproxy_amphora")
        CONF.set_override("connection_retry_interval", 1, "haproxy_amphora")
        CONF.set_override("cert_manager", "local_cert_manager", "certificates")
        CONF.set_override("storage_path", asked["storage_path"], "certificates")
        self.driver = rest_api_driver.HaproxyAmphoraLoadBalancerDriver()
        self.amphora = data_models.Amphora(
            id=asked["amphora_id"],
            status=constants.AMPHORA_ALLOCATED,
            lb_network_ip=asked["lb_network_ip"],
            vrrp_ip=asked["vrrp_ip"],
            ha_ip=asked["vip"],
            role=constants.ROLE_STANDALONE,
        )
        self.load_balancer = data_models.LoadBalancer(
            id=asked["load_balancer_id"],
            project_id="project",
            name="web",
            enabled=True,
            topology=asked.get("topology", constants.TOPOLOGY_SINGLE),
            amphorae=[self.amphora],
            vip=data_models.Vip(ip_address=asked["vip"]),
        )
        self.load_balancer.vrrp_group = data_models.VRRPGroup(
            load_balancer_id=asked["load_balancer_id"],
            vrrp_group_name="group",
            vrrp_auth_type=constants.VRRP_AUTH_DEFAULT,
            vrrp_auth_pass="secretpw",
            advert_int=1,
        )
        self.load_balancer.vrrp_group.load_balancer = self.load_balancer
        self.amphora.load_balancer = self.load_balancer
        self.pool = data_models.Pool(
            id=asked["pool_id"],
            protocol="HTTP",
            lb_algorithm="ROUND_ROBIN",
            enabled=True,
            load_balancer=self.load_balancer,
            operating_status=constants.ONLINE,
        )
        self.load_balancer.pools = [self.pool]
        self.asked = asked
        return "ready"

    @property
    def client(self):
        return self.driver.clients[self.amphora.api_version]

    def info(self, _asked):
        return self.driver.get_info(self.amphora)

    def details(self, _asked):
        return self.client.get_details(self.amphora)

    def plug_vip(self, asked):
        net_info = {
            "subnet_cidr": FAMILY,
            "gateway": asked["gateway"],
            "mac_address": asked["mac"],
            "vrrp_ip": self.amphora.vrrp_ip,
            "mtu": 1500,
            "host_routes": [],
            "additional_vips": [],
            "is_sriov": False,
        }
        return self.client.plug_vip(self.amphora, self.load_balancer.vip.ip_address, net_info)

    def plug_network(self, asked):
        port = {
            "mac_address": asked["mac"],
            "fixed_ips": [
                {
                    "ip_address": asked["ip_address"],
                    "subnet_cidr": asked["cidr"],
                    "gateway": None,
                    "host_routes": [],
                }
            ],
            "mtu": 1500,
        }
        return self.client.plug_network(self.amphora, port)

    def interface(self, asked):
        return self.driver.get_interface_from_ip(self.amphora, asked["ip_address"])

    def listener(self, asked):
        """Adds a listener and updates the amphora."""
        listener = data_models.Listener(
            id=asked["id"],
            project_id="project",
            protocol=asked["protocol"],
            protocol_port=asked["port"],
            connection_limit=-1,
            enabled=True,
            peer_port=asked["peer_port"],
            insert_headers={},
            load_balancer=self.load_balancer,
            default_pool=self.pool,
            pools=[self.pool],
            timeout_client_data=50000,
            timeout_member_connect=5000,
            timeout_member_data=50000,
            timeout_tcp_inspect=0,
            tls_certificate_id=asked.get("certificate"),
            tls_versions=["TLSv1.2", "TLSv1.3"] if asked.get("certificate") else [],
            alpn_protocols=["h2", "http/1.1"] if asked.get("certificate") else None,
            allowed_cidrs=[],
            client_authentication=constants.CLIENT_AUTH_NONE,
            operating_status=constants.ONLINE,
            provisioning_status=constants.ACTIVE,
        )
        self.load_balancer.listeners.append(listener)
        self.pool.listeners.append(listener)
        self.driver.update(self.load_balancer)

    def members(self, asked):
        self.pool.members = [
            data_models.Member(
                id=each["id"],
                ip_address=each["address"],
                protocol_port=each["port"],
                weight=1,
                backup=False,
                enabled=True,
                operating_status=constants.ONLINE,
                pool=self.pool,
            )
            for each in asked["members"]
        ]
        if self.load_balancer.listeners:
            self.driver.update(self.load_balancer)

    def start(self, _asked):
        self.driver.start(self.load_balancer)

    def reload(self, _asked):
        self.driver.reload(self.load_balancer)

    def listeners(self, _asked):
        return self.client.get_all_listeners(self.amphora)

    def delete_listener(self, asked):
        [listener] = [each for each in self.load_balancer.listeners if each.id == asked["id"]]
        self.driver.delete(listener)

    def rotate(self, asked):
        self.driver.upload_cert_amp(self.amphora, asked["pem"])

    def udp_listener(self, asked):
        """Status and text of the answer to its configuration."""
        listener = data_models.Listener(
            id=asked["id"],
            project_id="project",
            protocol=constants.PROTOCOL_UDP,
            protocol_port=asked["port"],
            connection_limit=-1,
            enabled=True,
            load_balancer=self.load_balancer,
            pools=[],
            allowed_cidrs=[],
            operating_status=constants.ONLINE,
            provisioning_status=constants.ACTIVE,
        )
        listener.default_pool = data_models.Pool(
            id=asked["pool_id"],
            protocol=constants.PROTOCOL_UDP,
            lb_algorithm="ROUND_ROBIN",
            enabled=True,
            load_balancer=self.load_balancer,
            operating_status=constants.ONLINE,
            members=self.pool.members,
        )
        listener.pools = [listener.default_pool]
        config = self.driver.lvs_jinja.build_config(listener=listener)
        path = f"listeners/{self.amphora.id}/{listener.id}/udp_listener"
        answer = self.client.put(self.amphora, path, data=config)
        return {"status": answer.status_code, "text": answer.text}

    def agent_config(self, asked):
        self.driver.update_amphora_agent_config(self.amphora, asked["config"])

    def interface_rules(self, asked):
        """None where this driver has no such call."""
        if not hasattr(self.driver, "set_interface_rules"):
            return None
        self.driver.set_interface_rules(self.amphora, asked["ip_address"], asked["rules"])
        return "set"

    def vrrp(self, asked):
        self.amphora.vrrp_interface = asked["interface"]
        self.amphora.vrrp_id = 1
        self.amphora.vrrp_priority = 100
        subnet = {"cidr": FAMILY, "gateway_ip": asked["gateway"], "host_routes": []}
        network = {"vip_subnet": subnet, "additional_vip_data": []}
        networks = {self.amphora.id: network}
        self.driver.update_vrrp_conf(self.load_balancer, networks, self.amphora)

    def vrrp_start(self, _asked):
        self.driver.start_vrrp_service(self.amphora)

    def vrrp_reload(self, _asked):
        self.driver.reload_vrrp_service(self.load_balancer)

    def vrrp_stop(self, _asked):
        self.driver.stop_vrrp_service(self.load_balancer)

    def unwrap(self, asked):
        """A heartbeat as upstream's health manager reads it."""
        datagram = base64.b64decode(asked["datagram"])
        return status_message.unwrap_envelope(datagram, asked["key"])

    def wrap(self, asked):
        """A heartbeat as upstream's agent writes it."""
        return base64.b64encode(status_message.wrap_envelope(asked["message"], asked["key"])).decode()


def main():
    logging.basicConfig(level=logging.CRITICAL)
    story = Story()
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = {"ok": getattr(story, asked["do"])(asked)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer, default=str), flush=True)


main()
