/** Ctrl-C while the demonstration is set up ends it at once, with nothing left, and the next start completes it. */
import { spawn } from 'node:child_process'
import t from 'tap'
import { processesRunning } from '../../scripts/test/processes.ts'
import { mainFile, startProcess } from '../support/process.ts'
import { dataDirectory, ports, settled } from './demonstration.ts'

t.setTimeout(300_000)

/** Until it has ended: what it said, and the code. The signal is sent when it tells of this step. */
async function interrupted(directory: string, step: string): Promise<{ text: string; code: number | null }> {
  const child = spawn(process.execPath, [mainFile], {
    env: { ...process.env, ...ports, GEMEENTECLOUD_DATA: directory },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      if (!text.includes(step) && chunk.includes(step)) child.kill('SIGINT')
      text += chunk
    })
  }
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { text, code }
}

t.test('Ctrl-C while it is set up: ended at once, with nothing left, and completed by the next start', async (t) => {
  for (const step of ['registering datacenters', 'asking for hosting']) {
    for (let attempt = 1; ; attempt++) {
      const directory = dataDirectory(t)
      const { text, code } = await interrupted(directory, step)
      t.equal(code, 0, `${step}: ${text}`)
      t.match(text, /Stopping …/)
      t.notMatch(text, /did not start|Stopping ….*is ready/s, step)
      t.same(processesRunning(directory), [], step)
      // On a busy machine the signal may be late for what was to be interrupted.
      if (text.includes('is ready') && attempt < 5) continue
      t.notMatch(text, /is ready/, step)
      const next = await startProcess(directory, [])
      t.teardown(() => next.end('SIGKILL'))
      await settled(next)
      t.equal(await next.end('SIGTERM'), 0)
      break
    }
  }
})
