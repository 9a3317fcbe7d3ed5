/** What cannot be asked of declared data all at once is refused, with where it stands. */
import t from 'tap'
import { dataContradictions } from '../../../services/broker/hosting/core/data.ts'

const cnpg = { kind: 'cnpg', name: 'db' } as const
const claim = { kind: 'volsync', name: 'data', repository: 'restic' } as const
const all = { kind: 'velero', name: 'gedeeld' } as const

t.test('each piece of data has one that copies it', async (t) => {
  t.same(dataContradictions(undefined), [])
  t.same(dataContradictions([cnpg, claim, { ...claim, name: 'more' }]), [])
  t.same(dataContradictions([all, cnpg]), [])
  t.same(dataContradictions([claim, cnpg, claim]), [{ pointer: '/data/2', message: 'is declared twice' }])
  t.same(dataContradictions([all, { ...all, name: 'elders' }]), [{ pointer: '/data/1', message: 'is declared twice' }])
  t.match(dataContradictions([claim, all]), [{ pointer: '/data/0', message: /velero copies all/ }])
})
