/** The test runner itself: it must see every way in which a file can fail, and leave nothing running. */
import { join, relative } from 'node:path'
import t from 'tap'
import { root } from '../../../scripts/sources.ts'
import { markedProcesses } from '../../../scripts/test/processes.ts'
import { runFile } from '../../../scripts/test/run-file.ts'
import { readTap } from '../../../scripts/test/tap-result.ts'

const run = `test-of-the-runner-${process.pid}`

t.test('counts the outermost tests', async (t) => {
  const tap = ['ok 1 - a # time=1ms', '    not ok 1 - inner', 'not ok 2 - b', 'ok 3 - c # SKIP no cluster', '1..3', '']
  t.same(readTap(tap.join('\n')), { passed: 1, failed: 1, skipped: ['c: no cluster'], complete: true })
})

t.test('a plan that is missing or not kept is not complete', async (t) => {
  t.equal(readTap('ok 1 - a\n').complete, false)
  t.equal(readTap('ok 1 - a\n1..2\n').complete, false)
  t.same(readTap('1..0 # no chromium\n'), { passed: 0, failed: 0, skipped: ['no chromium'], complete: true })
})

t.test('sees how a file went', async (t) => {
  const tap = join(root, 'node_modules/tap/dist/esm/index.js')
  const folder = t.testdir({
    'good.ts': `import t from '${tap}'\nt.test('one', async (t) => t.ok(true))\n`,
    'bad.ts': `import t from '${tap}'\nt.test('one', async (t) => t.equal(1, 2))\n`,
    'silent.ts': 'export {}\n',
    'cut.ts': `console.log('TAP version 14\\nok 1 - one')\nprocess.exit(0)\n`,
    'crash.ts': `console.log('ok 1 - one\\n1..1')\nprocess.exit(3)\n`,
    'endless.ts': 'setInterval(() => undefined, 1000)\n',
    'untidy.ts': `import { spawn } from 'node:child_process'
      spawn('sleep', ['600'], { detached: true, stdio: 'ignore' }).unref()
      console.log('ok 1 - one\\n1..1')\n`,
  })
  const go = (name: string) => runFile(relative(root, join(folder, name)), 20, run)

  t.match(await go('good.ts'), { passed: 1, failed: 0, skipped: [] })
  t.match(await go('bad.ts'), { passed: 0, failed: 1, output: /expected/ })
  t.match(await go('silent.ts'), { failed: 1, output: /ended before its plan was done/ })
  t.match(await go('cut.ts'), { passed: 1, failed: 1, output: /ended before its plan was done/ })
  t.match(await go('crash.ts'), { passed: 1, failed: 1, output: /ended with 3/ })
  const endless = runFile(relative(root, join(folder, 'endless.ts')), 1, run, 1)
  t.match(await endless, { failed: 1, output: /took over/ }, 'stopped from outside')
  if (process.platform === 'linux') t.match(await go('untidy.ts'), { failed: 1, output: /left running: .*sleep 600/ })
  t.same(markedProcesses('TEST_RUN_OF_GEMEENTECLOUD', run), [], 'nothing runs any more')
})
