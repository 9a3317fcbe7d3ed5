/** A file that is there whole or not at all, and there to stay once this has returned. */
import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** Read and written by nobody else. Throws when the disk did not take it; what was there then still is. */
export function writeDurably(path: string, text: string): void {
  const folder = dirname(path)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeFileSync(`${path}.draft`, text, { mode: 0o600, flush: true })
  // One that was left lying keeps the mode that it had.
  chmodSync(`${path}.draft`, 0o600)
  renameSync(`${path}.draft`, path)
  // The name too, or a crash brings the old file back.
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
