/** `events --follow | head`: ends with its reader, though nothing comes that would have to be written. */
import { execFileSync, spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const main = fileURLToPath(new URL('../../../services/cli/gemeentecloud.mjs', import.meta.url))

/** Of another tail the next event is waited for. */
function gnuTail(): boolean {
  try {
    return execFileSync('tail', ['--version'], { encoding: 'utf8', stdio: 'pipe' }).includes('GNU')
  } catch {
    return false
  }
}

t.test('who follows ends when its reader does', { skip: gnuTail() ? false : 'no GNU tail here' }, async (t) => {
  // One page without events, then a stream on which nothing ever comes.
  const server = createServer((request, response) => {
    if (request.headers.accept !== 'text/event-stream')
      return response.writeHead(200, { 'content-type': 'application/json' }).end('{"items":[]}')
    return response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.closeAllConnections())
  t.teardown(() => server.close())
  const env = {
    ...process.env,
    GEMEENTECLOUD_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    GEMEENTECLOUD_TOKEN: 'gc_a_token_for_a_test',
  }
  const shell = spawn('sh', ['-c', '"$0" "$1" events --follow | head -n 1', process.execPath, main], {
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => shell.exitCode === null && process.kill(-(shell.pid ?? 0), 'SIGKILL'))
  const text = Buffer.concat(await shell.stdout.toArray()).toString()
  t.match(text, /^AT +TYPE +SUBJECT +ACTOR\n$/, 'the heading comes at once')
  const code = await new Promise((resolve) => {
    if (shell.exitCode === null) shell.once('exit', resolve)
    else resolve(shell.exitCode)
  })
  t.equal(code, 0)
})
