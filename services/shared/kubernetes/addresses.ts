/** Which IP addresses a cluster may have: not those that lead back to ourselves or to the machine's own services. */
import { BlockList, isIP } from 'node:net'

export interface EndpointPolicy {
  /** CIDRs, `10.0.0.0/8` or `fd00::/8`: allowed whatever the rules below say. */
  readonly allowedAddresses: readonly string[]
  /** CIDRs that are refused beside the ones below: the broker's own networks. */
  readonly refusedAddresses?: readonly string[]
}

export interface AddressGuard {
  /** Why no cluster may have this IP address; undefined when it may. */
  refusal(address: string): string | undefined
}

/** The first that holds gives the reason. Private networks are not among them: datacenters live there. */
const refused: readonly (readonly [reason: string, ...cidrs: string[]])[] = [
  ['an unspecified address', '0.0.0.0/8', '::/128'],
  ['a loopback address', '127.0.0.0/8', '::1/128'],
  [
    "the metadata service of a cloud's machines",
    '169.254.169.254/32',
    '169.254.170.2/32',
    '100.100.100.200/32',
    '168.63.129.16/32',
    '192.0.0.192/32',
    'fd00:ec2::/32',
    'fd20:ce::254/128',
  ],
  ['a link-local address', '169.254.0.0/16', 'fe80::/10', 'fec0::/10'],
  ['a multicast address', '224.0.0.0/4', 'ff00::/8'],
  ['a reserved address', '240.0.0.0/4'],
  [
    'an IPv4 address in an IPv6 form',
    '::/96',
    '::ffff:0:0/96',
    '::ffff:0:0:0/96',
    '64:ff9b::/96',
    '64:ff9b:1::/48',
    '2001::/32',
    '2002::/16',
  ],
]

/** Throws `RangeError` when a CIDR of the policy is none. */
export function createAddressGuard({ allowedAddresses, refusedAddresses = [] }: EndpointPolicy): AddressGuard {
  const allowed = networks(allowedAddresses)
  const rules = [
    ...refused.map(([reason, ...cidrs]) => ({ reason, within: networks(cidrs) })),
    { reason: 'an address of our own network', within: networks(refusedAddresses) },
  ]
  return {
    refusal(address) {
      const [plain = ''] = address.split('%')
      if (isIP(plain) === 0) return 'not an IP address'
      if (allowed(plain)) return undefined
      return rules.find(({ within }) => within(plain))?.reason
    },
  }
}

/**
 * Membership of the listed networks. The two families are kept apart, since a mixed list would let a rule for IPv4 match
 * the IPv6 form of an address and a rule for `::ffff:0:0/96` match every IPv4 address.
 */
function networks(cidrs: readonly string[]): (address: string) => boolean {
  const lists = { 4: new BlockList(), 6: new BlockList() }
  for (const cidr of cidrs) {
    const { address, prefix, family } = parseCidr(cidr)
    lists[family].addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6')
  }
  return (address) => (isIP(address) === 4 ? lists[4].check(address, 'ipv4') : lists[6].check(address, 'ipv6'))
}

/** Throws `RangeError` on what is no network in CIDR notation. */
export function parseCidr(text: string): { address: string; prefix: number; family: 4 | 6 } {
  const [, address = '', digits = ''] = /^([0-9a-fA-F:.]+)\/(\d{1,3})$/.exec(text) ?? []
  const family = isIP(address)
  const prefix = Number(digits)
  if ((family !== 4 && family !== 6) || prefix > (family === 4 ? 32 : 128)) {
    throw new RangeError(`"${text}" is no network in CIDR notation, such as 10.0.0.0/8`)
  }
  return { address, prefix, family }
}
