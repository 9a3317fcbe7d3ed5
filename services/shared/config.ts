/** Configuration from the environment: everything that is wrong is said at once, nothing is guessed. */
import Type, { type Static } from 'typebox'
import { type Ceilings, defaultCeilings } from './ceilings.ts'
import { createAjv, fieldErrors } from './http/validation.ts'
import { defaultLimits, type Limits } from './kubernetes/limits.ts'

// A description says what a value must be.
const Cidrs = Type.String({ format: 'cidr-list', description: 'networks such as 10.0.0.0/8, separated by commas' })
const Count = Type.String({ pattern: '^[1-9][0-9]{0,6}$', description: 'a whole number above 0, at most 9999999' })
const Port = Type.String({
  pattern: '^(0|[1-9][0-9]{0,4})$',
  description: 'the number of a port, or 0 for any that is free',
})
const Words = (pattern: string, description: string) => Type.Optional(Type.String({ pattern, description }))

const Environment = Type.Object({
  PORT: Type.Optional(Port),
  MANAGEMENT_PORT: Type.Optional(Port),
  GATEWAY_PORT: Type.Optional(Port),
  GATEWAY_CERTIFICATE_FILE: Words('^.{1,4096}$', 'the path of a certificate in PEM'),
  GATEWAY_KEY_FILE: Words('^.{1,4096}$', 'the path of a private key in PEM'),
  GATEWAY_CA_FILE: Words('^.{1,4096}$', 'the path of the certificate of an authority in PEM'),
  TUNNEL_PORT: Type.Optional(Port),
  TUNNEL_ADDRESS: Words('^[A-Za-z0-9.-]{1,253}:[1-9][0-9]{0,4}$', 'a name and a port, such as desk.example:443'),
  HOST: Words('^[A-Za-z0-9.:-]{1,255}$', 'an address of this machine, such as 0.0.0.0'),
  BROKER_URL: Words('^https?://[A-Za-z0-9.:\\[\\]-]{1,260}$', 'the origin of the API, such as http://broker:8080'),
  DATABASE_URL: Words('^postgres(ql)?://', 'an address such as postgres://user:password@host/database'),
  GEMEENTECLOUD_DATA: Type.Optional(Type.String({ minLength: 1 })),
  LOG_LEVEL: Words(
    '^(fatal|error|warn|info|debug|trace|silent)$',
    'one of fatal, error, warn, info, debug, trace and silent',
  ),
  ENCRYPTION_KEY: Words('^[A-Za-z0-9+/]{43}=$', '32 bytes in base64, as `openssl rand -base64 32` prints them'),
  BOOTSTRAP_TOKEN: Words('^[\\x21-\\x7e]{32,200}$', '32 to 200 visible characters without blanks'),
  LOKET_OIN: Words('^[0-9]{20}$', 'an OIN, which has 20 digits'),
  LOKET_NAME: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'at most 200 characters' })),
  ALLOWED_CLUSTER_ADDRESSES: Type.Optional(Cidrs),
  REFUSED_CLUSTER_ADDRESSES: Type.Optional(Cidrs),
  FALLBACK_PROFILE: Words('^(standard|fast|tolerant)$', 'one of standard, fast and tolerant'),
  MAX_HOSTINGS: Type.Optional(Count),
  MAX_UNPLACED_HOSTINGS: Type.Optional(Count),
  MAX_DATACENTERS: Type.Optional(Count),
  MAX_OFFERS: Type.Optional(Count),
  MAX_HOLDS: Type.Optional(Count),
  MAX_HOLD_MINUTES: Type.Optional(Count),
  MAX_CLUSTER_OBJECTS: Type.Optional(Count),
  MAX_CLUSTER_LIST_MIB: Type.Optional(Count),
  MAX_CLUSTER_LIST_SECONDS: Type.Optional(Count),
})

export interface Config {
  readonly host: string
  readonly port: number
  readonly managementPort: number
  /** Where agents connect; `address` is what they dial, where that is not what is listened on. */
  readonly tunnel: { readonly host: string; readonly port: number; readonly address: string | undefined }
  readonly gateway: {
    readonly host: string
    readonly port: number
    /** Paths; without them the gateway has a certificate of its own. */
    readonly files: { readonly cert: string; readonly key: string; readonly ca: string | undefined } | undefined
  }
  /** Where a gateway of its own finds the API. */
  readonly brokerUrl: string | undefined
  readonly databaseUrl: string | undefined
  readonly dataDirectory: string
  readonly logLevel: string
  readonly encryptionKey: Uint8Array | undefined
  readonly bootstrapToken: string | undefined
  readonly desk: { readonly name: string; readonly oin: string }
  readonly allowedAddresses: readonly string[]
  readonly refusedAddresses: readonly string[]
  /** How long leases of hostings hold. */
  readonly fallbackProfile: 'standard' | 'fast' | 'tolerant'
  readonly ceilings: Ceilings
  readonly limits: Pick<Limits, 'listObjects' | 'listBytes' | 'listMs'>
}

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly errors: readonly string[] }

const validate = createAjv().compile(Environment)

/** Reads the variables above; one that is set but empty counts as not set. */
export function readConfig(environment: NodeJS.ProcessEnv): ConfigResult {
  const known = Object.keys(Environment.properties).filter(
    (name) => environment[name] !== undefined && environment[name] !== '',
  )
  const given = Object.fromEntries(known.map((name) => [name, environment[name]])) as Static<typeof Environment>
  const errors = validate(given)
    ? []
    : fieldErrors(validate.errors ?? [], 'body', false).map(({ pointer, message }) =>
        explain(pointer.slice(1), message),
      )
  for (const name of Object.keys(environment)) {
    if (name.startsWith('GEMEENTECLOUD_') && !(name in Environment.properties) && !clientVariables.has(name))
      errors.push(`${name} is not a setting we know`)
  }
  const ports = portsOf(given, errors)
  if ((given.GATEWAY_CERTIFICATE_FILE === undefined) !== (given.GATEWAY_KEY_FILE === undefined))
    errors.push('GATEWAY_CERTIFICATE_FILE and GATEWAY_KEY_FILE are given together or not at all')
  if (errors.length > 0) return { ok: false, errors }
  const host = given.HOST ?? '127.0.0.1'
  return {
    ok: true,
    config: {
      host,
      port: ports.PORT,
      managementPort: ports.MANAGEMENT_PORT,
      tunnel: { host, port: ports.TUNNEL_PORT, address: given.TUNNEL_ADDRESS },
      gateway: { host, port: ports.GATEWAY_PORT, files: gatewayFiles(given) },
      brokerUrl: given.BROKER_URL,
      databaseUrl: given.DATABASE_URL,
      dataDirectory: given.GEMEENTECLOUD_DATA ?? 'data',
      logLevel: given.LOG_LEVEL ?? 'info',
      encryptionKey: given.ENCRYPTION_KEY === undefined ? undefined : Buffer.from(given.ENCRYPTION_KEY, 'base64'),
      bootstrapToken: given.BOOTSTRAP_TOKEN,
      desk: { name: given.LOKET_NAME ?? 'Landelijk loket', oin: given.LOKET_OIN ?? '00000099000000009000' },
      allowedAddresses: listOf(given.ALLOWED_CLUSTER_ADDRESSES),
      refusedAddresses: listOf(given.REFUSED_CLUSTER_ADDRESSES),
      fallbackProfile: (given.FALLBACK_PROFILE ?? 'standard') as Config['fallbackProfile'],
      ceilings: {
        hostings: Number(given.MAX_HOSTINGS ?? defaultCeilings.hostings),
        unplacedHostings: Number(given.MAX_UNPLACED_HOSTINGS ?? defaultCeilings.unplacedHostings),
        datacenters: Number(given.MAX_DATACENTERS ?? defaultCeilings.datacenters),
        offers: Number(given.MAX_OFFERS ?? defaultCeilings.offers),
        holds: Number(given.MAX_HOLDS ?? defaultCeilings.holds),
        holdMinutes: Number(given.MAX_HOLD_MINUTES ?? defaultCeilings.holdMinutes),
      },
      limits: {
        listObjects: Number(given.MAX_CLUSTER_OBJECTS ?? defaultLimits.listObjects),
        listBytes: Number(given.MAX_CLUSTER_LIST_MIB ?? defaultLimits.listBytes / mib) * mib,
        listMs: Number(given.MAX_CLUSTER_LIST_SECONDS ?? defaultLimits.listMs / 1000) * 1000,
      },
    },
  }
}

function gatewayFiles(given: Static<typeof Environment>): Config['gateway']['files'] {
  const { GATEWAY_CERTIFICATE_FILE: cert, GATEWAY_KEY_FILE: key, GATEWAY_CA_FILE: ca } = given
  return cert === undefined || key === undefined ? undefined : { cert, key, ca }
}

const usualPorts = { PORT: 8080, MANAGEMENT_PORT: 8081, TUNNEL_PORT: 8082, GATEWAY_PORT: 8443 }

/** Each port that is listened on; says of those that cannot be, or not beside each other. */
function portsOf(given: Static<typeof Environment>, errors: string[]): typeof usualPorts {
  const names = Object.keys(usualPorts) as (keyof typeof usualPorts)[]
  const ports = { ...usualPorts }
  for (const name of names) {
    ports[name] = Number(given[name] ?? usualPorts[name])
    if (ports[name] > 65_535) errors.push(`${name} is above 65535`)
  }
  for (const [index, name] of names.entries())
    for (const other of names.slice(index + 1))
      if (ports[name] !== 0 && ports[name] === ports[other]) errors.push(`${name} and ${other} are the same`)
  return ports
}

/** Read by the command line client, which may share the environment. */
const clientVariables = new Set(['GEMEENTECLOUD_URL', 'GEMEENTECLOUD_TOKEN'])

const mib = 2 ** 20

const listOf = (value: string | undefined) => value?.split(',') ?? []

function explain(name: string, message: string): string {
  const property = Environment.properties[name as keyof typeof Environment.properties] as
    | { description?: string }
    | undefined
  return `${name} ${property?.description ? `must be ${property.description}` : message}`
}
