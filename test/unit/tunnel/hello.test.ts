/** What is taken for a hello, and who may speak with whom. */
import t from 'tap'
import { readAgentHello, readDeskHello, versionRefusal } from '../../../services/tunnel/hello.ts'

const agent = { protocol: '1.0', version: '1.2.3', agent: 'abc', time: 5 }
const desk = { protocol: '1.0', replica: 'abc', replicas: 2 }

t.test('a hello is read, and what a later minor adds is ignored', async (t) => {
  t.same(readAgentHello(JSON.stringify({ ...agent, later: {} })), agent)
  t.same(readDeskHello(JSON.stringify({ ...desk, later: [] })), desk)
  const refused = readDeskHello(JSON.stringify({ ...desk, refused: `no\n\u001b[31m${'x'.repeat(900)}` }))?.refused
  t.match(refused, /^no \[31mx+$/, 'what goes to a log is one line')
  t.equal(refused?.length, 500)
})

t.test('anything else is none', async (t) => {
  for (const text of ['', 'null', '[]', '"1.0"', '{', '{}', '{"__proto__":{"protocol":"1.0"}}']) {
    t.equal(readAgentHello(text), undefined, text)
    t.equal(readDeskHello(text), undefined, text)
  }
  for (const wrong of [
    { protocol: '1' },
    { protocol: 1.0 },
    { protocol: '1.0\n' },
    { version: '' },
    { version: 'a b' },
    { agent: 'x'.repeat(101) },
    { agent: null },
    { time: '5' },
    { time: -1 },
    { time: 1e300 },
  ]) {
    t.equal(readAgentHello(JSON.stringify({ ...agent, ...wrong })), undefined, JSON.stringify(wrong).slice(0, 60))
  }
  for (const wrong of [{ replicas: 0 }, { replicas: 1.5 }, { replica: '../x' }, { refused: 1 }, { refused: null }]) {
    t.equal(readDeskHello(JSON.stringify({ ...desk, ...wrong })), undefined, JSON.stringify(wrong))
  }
})

t.test('minors speak with each other, majors do not', async (t) => {
  t.equal(versionRefusal('1.7', 'agent', '1.2'), undefined)
  t.equal(versionRefusal('1.0', 'desk', '1.2'), undefined)
  t.match(versionRefusal('2.0', 'desk', '1.9'), /desk speaks version 2\.0 .* 1\.9/)
  t.match(versionRefusal('10.0', 'agent', '1.0'), /10\.0/, 'the whole number counts, not its first digit')
})
