/** Distances against places whose distance is known. */
import t from 'tap'
import { distanceKm } from '../../../services/placement/index.ts'

const groningen = { latitude: 53.2194, longitude: 6.5665 }
const maastricht = { latitude: 50.8514, longitude: 5.691 }

t.test('Groningen to Maastricht is about 270 km, either way', async (t) => {
  t.ok(Math.abs(distanceKm(groningen, maastricht) - 270) < 2)
  t.equal(distanceKm(groningen, maastricht), distanceKm(maastricht, groningen))
})

t.test('a place is nowhere from itself, and half the globe from its antipode', async (t) => {
  t.equal(distanceKm(groningen, groningen), 0)
  t.ok(
    Math.abs(distanceKm({ latitude: 0, longitude: 0 }, { latitude: 0, longitude: 180 }) - Math.PI * 6371.0088) < 0.001,
  )
})
