/** The lines of an answer that stays open, as they come and no faster than they are taken. */
import { Unreachable } from '../../shared/kubernetes/index.ts'
import { unreachable } from '../upstream.ts'

/** Empty lines are left out. Throws `Unreachable` when the answer breaks off or a line has more than `limitBytes`. */
export async function* linesOf(answer: AsyncIterable<Buffer>, limitBytes: number): AsyncGenerator<string> {
  let parts: Buffer[] = []
  let size = 0
  const source = answer[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await source.next().catch((error: unknown) => {
        throw unreachable(error)
      })
      if (next.done) return
      let chunk = next.value
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10)) {
        parts.push(chunk.subarray(0, end))
        const line = Buffer.concat(parts).toString('utf8')
        parts = []
        size = 0
        chunk = chunk.subarray(end + 1)
        if (line.trim() !== '') yield line
      }
      size += chunk.length
      if (size > limitBytes) throw new Unreachable('a line of the watch is too long')
      if (chunk.length > 0) parts.push(chunk)
    }
  } finally {
    await source.return?.()
  }
}
