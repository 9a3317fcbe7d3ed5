/** What stands before `npm start` and `npm test`: a sentence and exit 2 where Node.js would show a stack. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { root } from '../../../scripts/sources.ts'
import { temporaryFolder } from '../../support/folder.ts'

const { path, remove } = temporaryFolder('launch')
t.teardown(remove)
mkdirSync(join(path, 'scripts'))
cpSync(join(root, 'scripts/launch.mjs'), join(path, 'scripts/launch.mjs'))
writeFileSync(join(path, 'good.ts'), 'console.log(JSON.stringify(process.argv.slice(2)) satisfies string)\n')
writeFileSync(join(path, 'lacking.ts'), `import 'a-package-of-ours'\n`)
writeFileSync(join(path, 'wrong.ts'), `import './nowhere.ts'\n`)

function launch(args: readonly string[], { version = '', script = 'test' } = {}) {
  // A version is made up by a module that is loaded before.
  const pretend = `Object.defineProperty(process,'versions',{value:{node:'${version}'}})`
  const before = version ? ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`] : []
  const { status, stdout, stderr } = spawnSync(process.execPath, [...before, 'scripts/launch.mjs', ...args], {
    cwd: path,
    encoding: 'utf8',
    env: { ...process.env, npm_lifecycle_event: script },
  })
  return { status, stdout, stderr }
}

const said = (stderr: string) => ({ status: 2, stdout: '', stderr: `${stderr}\n` })

t.test('each thing that can be missing has its sentence, and what is there is run', async (t) => {
  const install = 'The packages are not installed: run `npm ci`, then'
  t.same(launch(['good.ts']), said(`${install} \`npm test\` again.`))
  t.same(launch(['good.ts'], { script: 'start', version: '20.1.0' }), said(`${install} \`npm start\` again.`))
  t.same(
    launch(['good.ts'], { version: '18.20.1' }),
    said('This needs Node.js 20 or newer with npm, and this is 18.20.1.'),
  )

  mkdirSync(join(path, 'node_modules'))
  t.same(launch(['good.ts', '--empty', 'a b']), { status: 0, stdout: '["--empty","a b"]\n', stderr: '' })
  t.match(launch(['good.ts'], { version: '24.11.9' }), {
    status: 2,
    stdout: '',
    stderr: /^This needs Node.js 24.12 or newer, and this is 24.11.9. The right one comes with the packages: run/,
  })
  t.equal(launch(['good.ts'], { version: '25.0.0' }).status, 0)
  t.same(
    launch(['lacking.ts']),
    said('The package a-package-of-ours is not installed: run `npm ci`, then `npm test` again.'),
  )
  t.match(launch(['wrong.ts']), { status: 1, stderr: /nowhere\.ts/ }, 'our own mistake is shown as it is')
})

t.test('npm starts and tests by it', async (t) => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  t.match(scripts, {
    start: 'node scripts/launch.mjs services/main.ts',
    test: 'node scripts/launch.mjs scripts/test.ts',
  })
})

t.test('--help tells what there is', async (t) => {
  for (const [program, words] of [
    ['services/main.ts', /--empty.*GEMEENTECLOUD_DATA/s],
    ['scripts/test.ts', /--quick.*N passed/s],
  ] as const) {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/launch.mjs', program, '--help'], {
      cwd: root,
      encoding: 'utf8',
    })
    t.match({ status, stdout, stderr }, { status: 0, stdout: words, stderr: '' })
  }
})
