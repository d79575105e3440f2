/** A mutating call that its caller may repeat: the same `request_id` gets the first answer again. */
export interface Operation {
  /** The RPC's name; a request id counts for one session and method. */
  readonly method: string;
  /** The caller's `request_id`. */
  readonly requestId: string;
  /** A hash of the request, to tell a retry from another request under the same id. */
  readonly fingerprint: string;
}
