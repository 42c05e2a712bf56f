/** What ports of load balancers are called, as by upstream; by these they are found again. */
export const vipPortName = (load_balancer_id: string): string => `octavia-lb-${load_balancer_id}`
export const vipDeviceId = (load_balancer_id: string): string => `lb-${load_balancer_id}`
export const vrrpPortName = (amphora_id: string): string => `octavia-lb-vrrp-${amphora_id}`
export const memberPortName = (amphora_id: string): string => `octavia-lb-member-${amphora_id}`
/** `device_owner` of ports that we make. */
export const OCTAVIA_OWNER = 'Octavia'
