/** The policy: nobody may do more than is named, own things stop at the own party, auditors change nothing. */
import t from 'tap'
import type { Role } from '../../../schemas/index.ts'
import { type Action, actions, mayTouch, reachOf, rolesFor } from '../../../services/broker/identity/policy.ts'

const as = (role: Role, partyId = 'pty_me') => ({ tokenId: 'tok_1', subject: 'x', role, partyId })
const roles: readonly Role[] = ['provider', 'consumer', 'loket', 'auditor']
// Of the caller's own, with no more rights than it has; and a word on evidence, which changes nothing that is run.
const harmless: readonly Action[] = ['token.exchange', 'drill.sign']
const changing = actions.filter((action) => !action.endsWith('.read') && !harmless.includes(action))

t.test('an auditor reads everything and changes nothing; the loket may do all', async (t) => {
  t.ok(changing.length > 5)
  for (const action of changing) t.equal(reachOf(as('auditor'), action), undefined, action)
  for (const action of actions) t.equal(reachOf(as('loket'), action), 'any', action)
  for (const action of actions.filter((a) => a.endsWith('.read')))
    t.equal(reachOf(as('auditor'), action), 'any', action)
  t.equal(reachOf(as('auditor'), 'drill.sign'), 'any', 'an auditor may sign for what it has read')
})

t.test('parties and tokens are the loket its own', async (t) => {
  for (const action of ['party.create', 'token.create'] as const) t.same(rolesFor(action), ['loket'])
})

t.test('what is own stops at the own party', async (t) => {
  for (const action of actions)
    for (const role of roles) {
      const reach = reachOf(as(role), action)
      t.equal(mayTouch(as(role), action, 'pty_me'), reach !== undefined, `${role} ${action} own`)
      t.equal(mayTouch(as(role), action, 'pty_other'), reach === 'any', `${role} ${action} of another`)
    }
  for (const action of ['system.read', 'hosting.read', 'quote.read', 'event.read'] as const)
    t.equal(reachOf(as('consumer'), action), 'own', action)
})

t.test('what is not named is refused, also names that every object has', async (t) => {
  for (const action of ['', 'hosting.destroy', 'constructor', 'toString', '__proto__'] as string[] as Action[])
    t.throws(() => {
      if (reachOf(as('loket'), action) === undefined) throw new Error('refused')
    }, action)
  for (const role of ['constructor', '__proto__', 'admin', ''] as string[] as Role[])
    for (const action of actions) t.notOk(mayTouch(as(role), action, 'pty_me'), `${role} ${action}`)
})
