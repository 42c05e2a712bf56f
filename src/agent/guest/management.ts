/** The management network: what a card needs so that the controller reaches the agent. Pure. */
import type { GuestLink } from './config-drive.ts'

export interface CardPlan {
  readonly card: string
  /** Lines of `ip -batch`; each can be repeated. */
  readonly ip: readonly string[]
  readonly dhcp4: boolean
  /** Settings below /proc/sys/net, made before the card is up. */
  readonly settings: Readonly<Record<string, string>>
}

/** What a drive without network data means: everything from the first card's network. */
const UNKNOWN: Omit<GuestLink, 'mac'> = {
  mtu: null,
  networks: [{ kind: 'dhcp4' }, { kind: 'ra6' }],
}

/**
 * Cards that listeners and members are reached by are in the list of a server that was rebooted,
 * too: they are the agent's to set up, in another namespace, and left alone here.
 */
export function planManagement(
  links: readonly GuestLink[] | null,
  cards: readonly { readonly name: string; readonly mac: string }[],
  plugged: readonly string[],
): readonly CardPlan[] {
  const free = cards.filter(({ mac }) => !plugged.includes(mac))
  if (links === null) {
    const [first] = free
    return first === undefined ? [] : [planCard(first.name, UNKNOWN)]
  }
  return links.flatMap((link) => {
    const card = free.find(({ mac }) => mac === link.mac)
    return card === undefined ? [] : [planCard(card.name, link)]
  })
}

function planCard(card: string, { mtu, networks }: Omit<GuestLink, 'mac'>): CardPlan {
  const ra6 = networks.some(({ kind }) => kind === 'ra6')
  const fixed = networks.flatMap((network) => (network.kind === 'static' ? [network] : []))
  return {
    card,
    ip: [
      ...(mtu === null ? [] : [`link set dev ${card} mtu ${mtu}`]),
      `link set dev ${card} up`,
      ...fixed.map(({ address }) => `address replace ${address} dev ${card}${noDad(address)}`),
      ...fixed.flatMap(({ routes }) =>
        routes.map(
          ({ destination, gateway }) => `route replace ${destination} via ${gateway} dev ${card}`,
        ),
      ),
    ],
    dhcp4: networks.some(({ kind }) => kind === 'dhcp4'),
    settings: {
      [`ipv6/conf/${card}/accept_ra`]: ra6 ? '2' : '0',
      [`ipv6/conf/${card}/autoconf`]: ra6 ? '1' : '0',
    },
  }
}

/** The compute service gave the address to nobody else; the agent need not wait a second for it. */
function noDad(address: string): string {
  return address.includes(':') ? ' nodad' : ''
}
