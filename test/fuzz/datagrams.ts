/** UDP and SCTP listeners of random load balancers, as configurations of keepalived. */
import { isLvsListener, renderLvs } from '../../src/dataplane/keepalived/lvs.ts'
import type { LoadBalancerTree } from '../../src/model/tree.ts'
import { CONTROLS } from './oddities.ts'

/** Every word with which a line of ours begins. */
const WORDS = new Set([
  ...['#', '}', 'net_namespace', 'global_defs', 'script_user', 'enable_script_security'],
  ...['virtual_server_group', 'virtual_server', 'lb_algo', 'lb_kind', 'protocol'],
  ...['persistence_timeout', 'persistence_granularity', 'delay_loop', 'delay_before_retry'],
  ...['retry', 'real_server', 'weight', 'uthreshold', 'UDP_CHECK', 'MISC_CHECK', 'TCP_CHECK'],
  ...['HTTP_GET', 'connect_ip', 'connect_port', 'connect_timeout', 'misc_path', 'misc_timeout'],
  ...['url', 'path', 'status_code', 'virtualhost', 'http_protocol'],
])

export function renderDatagrams(tree: LoadBalancerTree): readonly string[] {
  return tree.listeners.filter(isLvsListener).map((listener) => renderLvs(tree, listener))
}

/** Lines that are none of ours, and blocks that do not end. */
export function datagramOddities(text: string): readonly string[] {
  let depth = 0
  const wrong: string[] = []
  for (const line of text.split('\n').map((each) => each.trim())) {
    const [word = ''] = line.split(' ')
    const vip = depth === 1 && /^[\da-f.:]+ \d+$/.test(line)
    if (line !== '' && ((!WORDS.has(word) && !vip) || CONTROLS.test(line)))
      wrong.push(`a line of nobody for keepalived: ${JSON.stringify(line)}`)
    if (line.endsWith('{')) depth++
    if (line === '}') depth--
  }
  return depth === 0 ? wrong : [...wrong, `${depth} blocks of keepalived do not end`]
}

/** One file of many, in which each has groups of its own and what is global is said once. */
export function joinedDatagrams(texts: readonly string[]): string {
  const scripts = 'global_defs {\n    script_user root\n    enable_script_security\n}\n'
  const bodies = texts.map((text, at) =>
    text.replace(scripts, '').replaceAll(/\bipv([46])-group\b/g, `ipv$1-group-${at}`),
  )
  return scripts + bodies.join('')
}
