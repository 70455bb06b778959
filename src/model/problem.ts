/**
 * A refusal the caller can understand and act on, in the Platform API's words.
 * Anything else that is thrown is a fault of ours, and is answered with a 500.
 */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly id: ProblemId
  readonly details: ProblemDetails

  constructor(id: ProblemId, message: string, details: ProblemDetails = {}) {
    super(message)
    this.id = id
    this.details = details
  }

  get status(): number {
    return statusOf[this.id]
  }
}

/** What a program may want to know, beside the id. */
export interface ProblemDetails {
  /** The most there may be. */
  readonly limit?: number
  /** What is not there. */
  readonly resource?: string
}

/** Every problem there is. `docs/api/problems.md` lists the same; a test compares. */
export const statusOf = {
  bad_request: 400,
  unauthorized: 401,
  forbidden: 403,
  two_factor: 403,
  not_found: 404,
  not_acceptable: 406,
  request_timeout: 408,
  conflict: 409,
  precondition_failed: 412,
  payload_too_large: 413,
  requested_range_not_satisfiable: 416,
  cannot_run_above_limit: 422,
  cannot_update_above_limit: 422,
  invalid_params: 422,
  rate_limit: 429,
  internal_server_error: 500,
  service_unavailable: 503,
} as const

export type ProblemId = keyof typeof statusOf
