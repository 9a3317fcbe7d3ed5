/** The settings of a guard, from the environment: all that is wrong is said at once. */

export interface GuardConfig {
  readonly node: string
  /** `name:port`, where the agent's replicas answer guards. */
  readonly agent: string
  readonly keyFile: string
  readonly runtimeSocket: string
  readonly dataDirectory: string
  readonly watchdog: string | undefined
  readonly gateImage: string | undefined
  /** Where the kernel says which boot this is. */
  readonly proc: string
  readonly managementPort: number
  readonly host: string
  readonly logLevel: string
}

export type GuardConfigResult =
  | { readonly ok: true; readonly config: GuardConfig }
  | { readonly ok: false; readonly errors: readonly string[] }

interface Setting {
  readonly pattern: RegExp
  readonly must: string
  /** None: it must be given. */
  readonly usual?: string
}

const path = { pattern: /^\/.+$/, must: 'an absolute path' }
const settings = {
  NODE_NAME: { pattern: /^[a-z0-9.-]{1,253}$/, must: 'the name of the node' },
  AGENT_ADDRESS: {
    pattern: /^(\[[0-9a-f:.]+\]|[A-Za-z0-9.-]+):\d{1,5}$/,
    must: 'a name and a port, such as agent:8083',
  },
  GUARD_KEY_FILE: path,
  RUNTIME_SOCKET: { ...path, usual: '/run/containerd/containerd.sock' },
  GUARD_DATA: { ...path, usual: '/var/lib/gemeentecloud-guard' },
  WATCHDOG: { ...path, usual: '' },
  GATE_IMAGE: { pattern: /^\S{1,500}$/, must: 'the name of an image', usual: '' },
  HOST_PROC: { ...path, usual: '/proc' },
  MANAGEMENT_PORT: {
    pattern: /^(0|[1-9][0-9]{0,4})$/,
    must: 'the number of a port, or 0 for any that is free',
    usual: '8081',
  },
  HOST: { pattern: /^[A-Za-z0-9.:-]{1,255}$/, must: 'an address of this machine, such as 0.0.0.0', usual: '127.0.0.1' },
  LOG_LEVEL: {
    pattern: /^(fatal|error|warn|info|debug|trace|silent)$/,
    must: 'a level such as info',
    usual: 'info',
  },
} satisfies Record<string, Setting>

/** One that is set but empty counts as not set. */
export function readGuardConfig(environment: NodeJS.ProcessEnv): GuardConfigResult {
  const errors: string[] = []
  const read = Object.fromEntries(
    Object.entries(settings as Record<string, Setting>).map(([name, { pattern, must, usual }]) => {
      const given = environment[name] || usual
      if (given === undefined || (given !== usual && !pattern.test(given))) errors.push(`${name} must be ${must}`)
      return [name, given ?? '']
    }),
  ) as Record<keyof typeof settings, string>
  if (errors.length > 0) return { ok: false, errors }
  return {
    ok: true,
    config: {
      node: read.NODE_NAME,
      agent: read.AGENT_ADDRESS,
      keyFile: read.GUARD_KEY_FILE,
      runtimeSocket: read.RUNTIME_SOCKET,
      dataDirectory: read.GUARD_DATA,
      watchdog: read.WATCHDOG || undefined,
      gateImage: read.GATE_IMAGE || undefined,
      proc: read.HOST_PROC,
      managementPort: Number(read.MANAGEMENT_PORT),
      host: read.HOST,
      logLevel: read.LOG_LEVEL,
    },
  }
}
