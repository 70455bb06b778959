import { randomInt } from 'node:crypto'

const adjectives = `ancient arctic autumn blooming calm crimson dawn dewy distant drifting
  evening fading floating gentle glowing golden hidden hollow humming icy late lively
  lunar misty mossy murmuring pale patient polar quiet radiant restless rising rustling
  silent silver sleepy soft spring still summer sunlit swift tidal velvet wandering warm
  whispering wild winter`.split(/\s+/)

const nouns =
  `basin bay birch brook cedar cliff cloud coast creek delta dew dune ember fern
  field fjord flower fog forest glade grove harbor heath hill lagoon lake leaf lily marsh
  meadow mist moon moor peak pebble pine plain pond rain reed reef ridge river shore sky
  spring stone stream tide valley wave willow wind`.split(/\s+/)

/** `quiet-meadow-40817`. */
export function randomAppName(): string {
  return `${oneOf(adjectives)}-${oneOf(nouns)}-${randomInt(10_000, 100_000)}`
}

/** `meadow-4081`. */
export function randomEndpointName(): string {
  return `${oneOf(nouns)}-${randomInt(1000, 10_000)}`
}

function oneOf(words: readonly string[]): string {
  return words[randomInt(words.length)] ?? ''
}
