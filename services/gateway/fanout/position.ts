/** Where a list begins: at a version that the client names, or where the page before it ended. */
import { expired, refusal } from '../status.ts'
import type { Spread } from './cells.ts'
import { readCursor } from './cursor.ts'

export interface Position {
  readonly versions: readonly bigint[]
  /** The cell that comes next, and the token of its own that it goes on with. */
  readonly index: number
  readonly inner: string
}

const moved = 'your namespaces are elsewhere than when this was given; list again without it'

export function writeContinue({ place }: Spread, { versions, index, inner }: Position): string {
  return Buffer.from(JSON.stringify([1, place, versions.map(String), index, inner])).toString('base64url')
}

/** Undefined without one. Throws 400 on what is none of ours, and 410 when the namespaces are elsewhere by now. */
export function readContinue(token: string | null, spread: Spread): Position | undefined {
  if (token === null || token === '') return undefined
  const malformed = () => refusal(400, 'continue key is not valid')
  let read: unknown
  try {
    read = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'))
  } catch (error) {
    if (error instanceof SyntaxError) throw malformed()
    throw error
  }
  if (!Array.isArray(read) || read.length !== 5 || read[0] !== 1) throw malformed()
  const [, place, versions, index, inner] = read as unknown[]
  const numbers = Array.isArray(versions) && versions.every((v) => typeof v === 'string' && /^[0-9]{1,20}$/.test(v))
  if (typeof place !== 'string' || !numbers || !Number.isInteger(index) || typeof inner !== 'string') throw malformed()
  if (place !== spread.place || versions.length !== spread.members.length) throw expired(moved)
  if (Number(index) < 0 || Number(index) >= spread.cells.length) throw malformed()
  return { versions: versions.map(BigInt), index: Number(index), inner }
}

/** What each member is told of the version that the client named. Throws 400, and 410 when it is of another place. */
export function startOf(query: URLSearchParams, spread: Spread): (member: number) => [string, string][] {
  const text = query.get('resourceVersion')
  const match = query.get('resourceVersionMatch')
  const matched = (version: string): [string, string][] => [
    ['resourceVersion', version],
    ...(match === null ? [] : ([['resourceVersionMatch', match]] as [string, string][])),
  ]
  const read = readCursor(text, spread.place, spread.members.length)
  switch (read.kind) {
    case 'none':
      return () => (text === '0' ? matched('0') : [])
    case 'plain':
      if (spread.cells.length > 1) throw expired(moved)
      return () => matched(String(read.version))
    case 'cursor':
      return (member) => {
        const version = read.cursor.versions[member] ?? 0n
        return version === 0n ? [] : matched(String(version))
      }
    case 'foreign':
      throw expired(moved)
    case 'malformed':
      throw refusal(400, 'resourceVersion: invalid value; use one that the gateway gave')
  }
}
