/**
 * What a gateway says to an agent with each request that changes something: it is meant for the site where the hosting is
 * active. The gateway knows that from the store, a moment late; the agent knows it of itself.
 */
export const whereActiveHeader = 'gemeentecloud-where-active'
