/** Of headers only those pass that are named; who claims to be another is told which one says so. */
import t from 'tap'
import { answerHeaders, claimsIdentity, requestHeaders } from '../../../services/gateway/headers.ts'

t.test('a claim is found wherever it stands', async (t) => {
  const usual = { host: 'x', accept: '*/*', 'x-request-id': '1', 'user-agent': 'impersonate-user' }
  t.equal(claimsIdentity(usual), undefined)
  t.equal(claimsIdentity({}), undefined)
  for (const name of ['impersonate-user', 'impersonate-extra-scopes', 'x-remote-user', 'x-remote-group', 'x-remote-'])
    t.equal(claimsIdentity({ ...usual, [name]: '' }), name)
})

t.test('what is not named is left behind, in either direction', async (t) => {
  const secret = { authorization: 'Bearer x', cookie: 'a=b', 'set-cookie': ['a=b'], 'x-other': '1', host: 'x' }
  const asked = { accept: '*/*', 'content-type': 'application/json', 'user-agent': 'k', 'accept-encoding': 'gzip' }
  t.strictSame(requestHeaders({ ...secret, ...asked }), asked)
  const told = { 'content-type': 'application/json', 'content-length': '0', warning: '299', etag: 'x', vary: 'accept' }
  t.strictSame(answerHeaders({ ...secret, ...told }), told)
})
