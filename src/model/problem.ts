/**
 * A refusal the caller can understand and act on, in the Platform API's words.
 * Anything else that is thrown is a fault of ours, and is answered with a 500.
 */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly id: ProblemId

  constructor(id: ProblemId, message: string) {
    super(message)
    this.id = id
  }

  get status(): number {
    return statusOf[this.id]
  }
}

/** Every problem there is. `docs/api/problems.md` lists the same; a test compares. */
export const statusOf = {
  bad_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  not_acceptable: 406,
  conflict: 409,
  payload_too_large: 413,
  requested_range_not_satisfiable: 416,
  invalid_params: 422,
  rate_limit: 429,
  internal_server_error: 500,
  service_unavailable: 503,
} as const

export type ProblemId = keyof typeof statusOf
