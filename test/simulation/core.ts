/** The protocol under test: the product's, or a copy of it with a fault planted. */
export type Core = typeof import('../../services/fallback/index.ts')
