/** What a guard keeps on the disk of its node: written whole, and there whole or not at all after a power cut. */
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { GuardDisk } from '../../fallback/index.ts'
import type { GuardedSpace } from '../fallback/guard-wire.ts'

/** Beside what the protocol keeps, what the agent said last: it holds over boots. */
export interface Stored extends GuardDisk {
  readonly spaces?: readonly GuardedSpace[]
  readonly stopMs?: number
}

export interface GuardFile {
  /** Undefined when there is none, or none that can be read. */
  read(): Promise<Stored | undefined>
  /** Resolves when it is durable. */
  write(stored: Stored): Promise<void>
}

export function guardFile(path: string): GuardFile {
  const draft = `${path}.draft`
  return {
    async read() {
      try {
        const stored = JSON.parse(await readFile(path, 'utf8')) as Stored
        return typeof stored.boot === 'string' && Number.isSafeInteger(stored.life) ? stored : undefined
      } catch {
        // None yet, or torn by something that is not us: either way nothing is known.
        return undefined
      }
    },
    async write(stored) {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      await written(draft, JSON.stringify(stored))
      await rename(draft, path)
      const folder = await open(dirname(path))
      await folder.sync().finally(() => folder.close())
    },
  }
}

async function written(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** A deadline that a renewal moves is written; one that the delay of an answer moved is not worth a write each second. */
const worthWritingMs = 1_000

/**
 * Whether what is on disk does as well. Each deadline is by itself one that the agent gave, so an older one is never wrong, it
 * only ends sooner or was given sooner.
 */
export function isKept(kept: Stored | undefined, wanted: Stored): boolean {
  if (!kept) return false
  const bare = ({ grants, ...rest }: Stored) =>
    JSON.stringify({ ...rest, grants: grants.map(({ deadlineMs: _, ...grant }) => grant) })
  if (bare(kept) !== bare(wanted)) return false
  return wanted.grants.every(
    ({ deadlineMs }, index) => Math.abs(deadlineMs - (kept.grants[index]?.deadlineMs ?? 0)) < worthWritingMs,
  )
}
