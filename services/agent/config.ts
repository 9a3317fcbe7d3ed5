/** The settings of an agent, from the environment: all that is wrong is said at once. */

export interface AgentConfig {
  readonly desk: string
  readonly joinToken: string | undefined
  readonly managementPort: number
  readonly host: string
  readonly logLevel: string
  /** A file; a pod needs none. */
  readonly kubeconfig: string | undefined
  /** Where the key is kept when this is no pod. */
  readonly dataDirectory: string
  /** Of the pod; undefined when this is none. */
  readonly pod:
    | { readonly namespace: string; readonly name: string; readonly release: string; readonly address?: string }
    | undefined
  /** Whether it takes part in failover. */
  readonly fallback: boolean
  /** Where guards of nodes ask; a pod keeps their key in a Secret of its own, others read it from a file. */
  readonly guards: { readonly port: number; readonly keyFile: string | undefined } | undefined
  /** Where agents of peers ask, and by what address they reach that. */
  readonly peers: { readonly port: number; readonly address: string } | undefined
}

export type AgentConfigResult =
  | { readonly ok: true; readonly config: AgentConfig }
  | { readonly ok: false; readonly errors: readonly string[] }

const anyPort = { pattern: /^(0|[1-9][0-9]{0,4})$/, must: 'the number of a port, or 0 for any that is free' }
const known: Readonly<Record<string, { readonly pattern: RegExp; readonly must: string }>> = {
  DESK_URL: { pattern: /^https?:\/\/[^\s/?#@]+\/?$/, must: 'the origin of the desk, such as https://desk.example' },
  JOIN_TOKEN: { pattern: /^[\x21-\x7e]{16,200}$/, must: 'a join token of the desk' },
  MANAGEMENT_PORT: anyPort,
  HOST: { pattern: /^[A-Za-z0-9.:-]{1,255}$/, must: 'an address of this machine, such as 0.0.0.0' },
  LOG_LEVEL: { pattern: /^(fatal|error|warn|info|debug|trace|silent)$/, must: 'a level such as info' },
  KUBECONFIG: { pattern: /^.+$/, must: 'the path of a kubeconfig' },
  AGENT_DATA: { pattern: /^.+$/, must: 'the path of a folder' },
  POD_NAMESPACE: { pattern: /^[a-z0-9-]{1,63}$/, must: 'the namespace of this pod' },
  POD_NAME: { pattern: /^[a-z0-9.-]{1,253}$/, must: 'the name of this pod' },
  POD_IP: { pattern: /^[0-9a-f:.]{2,45}$/, must: 'the address of this pod' },
  FALLBACK: { pattern: /^(on|off)$/, must: 'on or off' },
  GUARD_PORT: anyPort,
  GUARD_KEY_FILE: { pattern: /^.+$/, must: 'the path of a file' },
  PEER_PORT: anyPort,
  PEER_ADDRESS: {
    pattern: /^(\[[0-9a-f:.]+\]|[A-Za-z0-9.-]{1,253}):[1-9][0-9]{0,4}$/,
    must: 'a host and a port, such as agent.example:8084',
  },
  RELEASE_NAME: { pattern: /^[a-z0-9-]{1,53}$/, must: 'the name of the release' },
}

/** One that is set but empty counts as not set. */
export function readAgentConfig(environment: NodeJS.ProcessEnv): AgentConfigResult {
  const given = (name: string) => environment[name] || undefined
  const errors = Object.entries(known)
    .filter(([name, { pattern }]) => given(name) !== undefined && !pattern.test(given(name) ?? ''))
    .map(([name, { must }]) => `${name} must be ${must}`)
  const desk = given('DESK_URL')
  if (desk === undefined) errors.push(`DESK_URL must be ${known['DESK_URL']?.must}`)
  else if (desk.startsWith('http:') && !/^http:\/\/(127\.0\.0\.1|\[::1\]|localhost)(:\d+)?\/?$/.test(desk))
    errors.push('DESK_URL must begin with https://: a join token is not sent in the clear')
  if ((given('PEER_PORT') === undefined) !== (given('PEER_ADDRESS') === undefined))
    errors.push('PEER_PORT and PEER_ADDRESS go together: where it listens, and where peers reach that')
  if (given('GUARD_PORT') && !given('POD_NAME') && !given('GUARD_KEY_FILE'))
    errors.push('GUARD_KEY_FILE must be given with GUARD_PORT where this is no pod')
  const [namespace, name] = [given('POD_NAMESPACE'), given('POD_NAME')]
  const address = given('POD_IP') === undefined ? {} : { address: given('POD_IP') ?? '' }
  const release = given('RELEASE_NAME') ?? 'gemeentecloud-agent'
  if (errors.length > 0) return { ok: false, errors }
  return {
    ok: true,
    config: {
      desk: desk ?? '',
      joinToken: given('JOIN_TOKEN'),
      managementPort: Number(given('MANAGEMENT_PORT') ?? 8081),
      host: given('HOST') ?? '127.0.0.1',
      logLevel: given('LOG_LEVEL') ?? 'info',
      kubeconfig: given('KUBECONFIG'),
      dataDirectory: given('AGENT_DATA') ?? 'agent-data',
      pod: namespace !== undefined && name !== undefined ? { namespace, name, release, ...address } : undefined,
      fallback: given('FALLBACK') !== 'off',
      guards: portOf(given('GUARD_PORT'), (port) => ({ port, keyFile: given('GUARD_KEY_FILE') })),
      peers: portOf(given('PEER_PORT'), (port) => ({ port, address: given('PEER_ADDRESS') ?? '' })),
    },
  }
}

function portOf<Place>(text: string | undefined, placeOf: (port: number) => Place): Place | undefined {
  return text === undefined ? undefined : placeOf(Number(text))
}
