/** How far two places are apart, as the crow flies. */
const earthRadiusKm = 6371.0088
const radians = (degrees: number) => (degrees * Math.PI) / 180

export interface Position {
  readonly latitude: number
  readonly longitude: number
}

/** Great-circle distance in kilometres (haversine); positions in degrees. */
export function distanceKm(a: Position, b: Position): number {
  const latitudeHalf = Math.sin(radians(b.latitude - a.latitude) / 2)
  const longitudeHalf = Math.sin(radians(b.longitude - a.longitude) / 2)
  const h = latitudeHalf ** 2 + Math.cos(radians(a.latitude)) * Math.cos(radians(b.latitude)) * longitudeHalf ** 2
  return 2 * earthRadiusKm * Math.asin(Math.min(1, Math.sqrt(h)))
}
