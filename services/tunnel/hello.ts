/** What the two ends say first, who may speak with whom, and that neither believes what it cannot read. Pure. */

/** Ours: `major.minor`. Another minor only adds what the other end may ignore; another major is another language. */
export const protocolVersion = '1.0'

/** From the agent, who it is. */
export interface AgentHello {
  readonly protocol: string
  /** Of its software. */
  readonly version: string
  /** Of this process of the agent. */
  readonly agent: string
  /** Its clock, milliseconds since the Unix epoch. */
  readonly time: number
}

/** From the desk, after that: welcome, or why not; and again whenever the number of replicas changes. */
export interface DeskHello {
  readonly protocol: string
  readonly replica: string
  readonly replicas: number
  readonly refused?: string
}

/** Why these two versions cannot speak; undefined when they can. `theirs` is what the other end calls itself. */
export function versionRefusal(protocol: string, theirs: string, own = protocolVersion): string | undefined {
  if (majorOf(protocol) === majorOf(own)) return undefined
  return `the ${theirs} speaks version ${protocol} of the tunnel and this end ${own}: update the older of the two`
}

function majorOf(protocol: string): string {
  return protocol.split('.')[0] ?? ''
}

/** The hello of an agent; undefined when this is none. Fields that a later minor adds are ignored. */
export function readAgentHello(text: string): AgentHello | undefined {
  const { protocol, version, agent, time } = objectOf(text)
  if (!isVersion(protocol) || !isWord(version) || !isWord(agent) || !isCount(time)) return undefined
  return { protocol, version, agent, time }
}

/** The hello of the desk; undefined when this is none. */
export function readDeskHello(text: string): DeskHello | undefined {
  const { protocol, replica, replicas, refused } = objectOf(text)
  if (!isVersion(protocol) || !isWord(replica) || !isCount(replicas) || replicas < 1) return undefined
  if (refused !== undefined && typeof refused !== 'string') return undefined
  return { protocol, replica, replicas, ...(refused !== undefined && { refused: oneLine(refused) }) }
}

/** What came from the other end and goes to a log. */
export function oneLine(text: string): string {
  return text
    .replaceAll(/\p{C}+/gu, ' ')
    .trim()
    .slice(0, 500)
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    // Not JSON, so it says nothing; the caller sees that by what is missing.
    return {}
  }
}

const isVersion = (value: unknown): value is string => typeof value === 'string' && /^\d{1,4}\.\d{1,4}$/.test(value)
const isWord = (value: unknown): value is string => typeof value === 'string' && /^[\w.+-]{1,100}$/.test(value)
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
