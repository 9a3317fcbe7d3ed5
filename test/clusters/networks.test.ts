/** Networks that a test makes: what is cut is cut in silence and one way, and nothing of them is left. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { missingForNetworks, type Networks, ours, startNetworks } from './networks.ts'
import { until } from './start.ts'

const skip = (await missingForNetworks()) ?? false
const patience = 20_000
const silenceMs = 1_000

/** Says each line that it gets back to whoever sent it. */
const echo = `const answer = (s) => s.on('data', (d) => s.write(d)).on('error', () => {})
require('net').createServer(answer).listen(7000, () => console.log('up'))`

async function startEcho(t: Pick<Test, 'teardown'>, { within }: Networks, party: string): Promise<void> {
  const [program = '', ...args] = [...within(party), process.execPath, '-e', echo]
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
}

/** A connection that stands, and what came back on it. */
async function open(t: Pick<Test, 'teardown'>, host: string) {
  const socket = connect({ host, port: 7000 })
  t.teardown(() => socket.destroy())
  let text = ''
  socket.setEncoding('utf8').on('data', (more) => {
    text += more
  })
  await once(socket, 'connect')
  return { say: (word: string) => void socket.write(`${word}\n`), heard: () => text.split('\n') }
}

const hears = (line: Awaited<ReturnType<typeof open>>, word: string) =>
  until(`${word} to come back`, patience, () => line.heard().includes(word) || undefined)

const quiet = async (line: Awaited<ReturnType<typeof open>>, word: string) => {
  const enough = performance.now() + silenceMs
  await until('silence', patience, () => line.heard().includes(word) || performance.now() > enough || undefined)
  return !line.heard().includes(word)
}

/** Whether a party gets an answer from another within a while. */
function reaches({ within, addressOf }: Networks, from: string, to: string): boolean {
  const ask = `const s = require('net').connect(7000, '${addressOf(to)}', () => process.exit(0))
    s.on('error', () => process.exit(1))
    setTimeout(() => process.exit(1), ${silenceMs})`
  const [program = '', ...args] = [...within(from), process.execPath, '-e', ask]
  try {
    execFileSync(program, args)
    return true
  } catch {
    return false
  }
}

const linksOfOurs = () => execFileSync('ip', ['-o', 'link'], { encoding: 'utf8' }).match(/gcnet\d+[-\d]*/g) ?? []

t.test('parties around a router', { skip }, async (t) => {
  const networks = await startNetworks(t, ['a', 'b'])
  const { addressOf, cut, mend } = networks
  for (const party of ['a', 'b']) await startEcho(t, networks, party)
  t.ok(reaches(networks, 'a', 'b') && reaches(networks, 'b', 'a'))
  const toA = await open(t, addressOf('a'))
  toA.say('first')
  await hears(toA, 'first')

  await cut('a', ours)
  toA.say('second')
  t.ok(await quiet(toA, 'second'), 'what it answers on a connection that stands does not come')
  t.ok(reaches(networks, 'a', 'b') && reaches(networks, 'b', 'a'), 'nobody else sees anything of it')
  await mend()
  await hears(toA, 'second')

  await cut('a', 'b')
  t.notOk(reaches(networks, 'a', 'b'))
  t.notOk(reaches(networks, 'b', 'a'), 'the answer is lost')
  toA.say('third')
  await hears(toA, 'third')
  await mend()
  t.ok(reaches(networks, 'a', 'b'))
})

t.test('what a process left that was killed, the next one removes', { skip }, async (t) => {
  const file = new URL('networks.ts', import.meta.url).href
  const script = `const { startNetworks } = await import('${file}')
    const { within } = await startNetworks({ teardown() {} }, ['a'])
    const [program, ...args] = [...within('a'), 'sleep', '1000']
    console.log((await import('node:child_process')).spawn(program, args, { stdio: 'ignore', detached: true }).pid)
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [said] = await once(child.stdout, 'data')
  const sleeper = Number(String(said))
  child.kill('SIGKILL')
  await once(child, 'exit')
  const names = () => execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' })
  t.match(names(), `-${child.pid}-`)
  const before = linksOfOurs().length
  await t.test('by beginning', async (t) => void (await startNetworks(t, [])))
  t.notMatch(names(), `-${child.pid}-`)
  t.notMatch(names(), `-${process.pid}-`, 'nor is anything left of this one')
  t.ok(linksOfOurs().length < before)
  await until('what ran in it to end', patience, () => {
    try {
      process.kill(sleeper, 0)
      return undefined
    } catch {
      return true
    }
  })
})
