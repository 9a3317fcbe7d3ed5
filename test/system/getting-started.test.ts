/** The first ten minutes: every command of docs/getting-started.md, in its order, prints what the document shows. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import t from 'tap'
import { root } from '../../scripts/sources.ts'
import { processesRunning } from '../../scripts/test/processes.ts'
import { builtPrograms } from '../clusters/build.ts'
import { until } from '../clusters/wait.ts'
import { temporaryFolder } from '../support/folder.ts'
import { differs, readGuide, type Step } from '../support/guide.ts'

t.setTimeout(300_000)
const guide = readGuide(readFileSync(join(root, 'docs/getting-started.md'), 'utf8'))
const kubectl = builtPrograms()?.kubectl

// What a checkout has, with a `data` of its own.
const folder = temporaryFolder('getting-started')
for (const name of ['docs', 'node_modules', 'package.json', 'schemas', 'scripts', 'services'])
  symlinkSync(join(root, name), join(folder.path, name))
mkdirSync(join(folder.path, 'bin'))
if (kubectl) symlinkSync(kubectl, join(folder.path, 'bin/kubectl'))

const { GEMEENTECLOUD_DATA: _, GEMEENTECLOUD_URL: __, GEMEENTECLOUD_TOKEN: ___, ...inherited } = process.env
const env = {
  ...inherited,
  PATH: `${join(folder.path, 'bin')}${delimiter}${process.env.PATH}`,
  PORT: '0',
  MANAGEMENT_PORT: '0',
  TUNNEL_PORT: '0',
  GATEWAY_PORT: '0',
  NPM_CONFIG_UPDATE_NOTIFIER: 'false',
}

interface Printed {
  readonly code: number | null
  readonly text: string
}

/** The terminal in which `npm start` runs, when it does. */
let terminal: { readonly child: ChildProcess; readonly ended: Promise<Printed>; printed(): string } | undefined

t.teardown(async () => {
  if (terminal) await pressCtrlC()
  folder.remove()
})

t.test('the document is understood', async (t) => {
  const commands = guide.flatMap(({ steps }) => steps.map(({ command }) => command))
  t.ok(commands.length > 20, `${commands.length} blocks of commands`)
  t.equal(commands[0], 'npm ci && npm start')
  t.match(differs('a\n…\nb 5 s …\n', 'a\nx\nb 71 s more\n') ?? 'alike', 'alike')
  t.match(differs('a\nb\n', 'a\nx\nb\n'), /more between/)
  t.match(differs('a\nc …\n', 'a\nb\n'), /not printed: c/)
})

for (const { title, steps } of guide) {
  t.test(title, { skip: missingFor(steps) }, async (t) => {
    for (const step of steps) {
      const name = step.command.split('\n')[0] ?? ''
      if (/\bnpm start\b/.test(step.command)) await start(step)
      else await follow(step)
      t.pass(name)
    }
  })
}

t.test('Ctrl-C ends it', async (t) => {
  t.match(await pressCtrlC(), /^Stopping …$/m)
  t.same(processesRunning(join(folder.path, 'data')), [], 'nothing of it runs')
})

/** Why the chapter cannot be followed on this machine; where everything has to be there (CI) it is tried all the same. */
function missingFor(steps: readonly Step[]): string | false {
  if (process.env['CI'] === 'true') return false
  const uses = (program: string) => steps.some(({ command }) => new RegExp(`^ *${program} `, 'm').test(command))
  if (uses('kubectl') && !kubectl) return 'kubectl is not built (npm test builds it where Go 1.26 is)'
  return uses('curl') && !has('curl') ? 'curl not found; on Debian: apt-get install curl' : false
}

function has(program: string): boolean {
  try {
    return execFileSync('sh', ['-c', 'command -v "$1"', 'sh', program]).length > 0
  } catch {
    return false
  }
}

/** `npm ci` is what made this checkout; the rest of the block is run, and left running. */
async function start({ command, shown = '' }: Step): Promise<void> {
  if (terminal) await pressCtrlC()
  const { child, ended, printed } = shell(command.replace('npm ci && ', ''))
  terminal = { child, ended, printed }
  const early = ended.then(({ text }) => Promise.reject(new Error(`it ended:\n${text}`)))
  const ready = until('it to be ready', 120_000, () => printed().includes('Ctrl-C stops it') || undefined)
  await Promise.race([ready, early])
  expectAlike(command, shown, printed().replaceAll(/^> .*\n/gm, ''))
}

async function pressCtrlC(): Promise<string> {
  if (!terminal?.child.pid) throw new Error('nothing runs in the first terminal')
  const { child, ended } = terminal
  terminal = undefined
  // A terminal signals the whole group, npm and what it runs.
  process.kill(-(child.pid ?? 0), 'SIGINT')
  return (await ended).text
}

/** What only looks may look again until it sees what is shown; all else has one try. */
async function follow(step: Step): Promise<void> {
  const management = /metrics +http:\/\/(\S+)\/metrics/.exec(terminal?.printed() ?? '')?.[1] ?? ''
  const command = step.command.replaceAll('127.0.0.1:8081', management)
  const attempt = async () => {
    const { code, text } = await shell(command).ended
    if (code !== step.exitCode) throw new Error(`${command}\nended with ${code}, not ${step.exitCode}:\n${text}`)
    if (step.shown !== undefined) expectAlike(command, step.shown, text)
    return true
  }
  await (looks(step.command) ? until(command, 90_000, attempt, 500) : attempt())
}

const looking = /^(npx gemeentecloud ((datacenter|hosting) (list|show)|events)|curl -s|kubectl .* (get|describe)) /

const looks = (command: string) =>
  command
    .replaceAll(/\\\n */g, '')
    .split('\n')
    .every((line) => looking.test(`${line} `))

function expectAlike(command: string, shown: string, printed: string): void {
  const difference = differs(shown, printed)
  if (difference !== undefined) throw new Error(`${command}\n${difference}`)
}

/** A command in a shell of its own, in the folder, as the leader of its group. */
function shell(command: string) {
  const child = spawn('bash', ['-o', 'pipefail', '-c', command], {
    cwd: folder.path,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
  }
  const ended = new Promise<Printed>((resolve) => child.once('close', (code) => resolve({ code, text })))
  return { child, ended, printed: () => text }
}
