/** DocumentService: messages in, the domain's documents out. */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import {
  type CreateDocumentRequest,
  type DeleteDocumentRequest,
  DocumentSchema,
  type GetDocumentRequest,
  type ListDocumentsRequest,
  ListDocumentsRequestSchema,
  ListDocumentsResponseSchema,
  type DocumentService as Proto,
  type SearchDocumentsRequest,
  SearchMode,
} from '../../gen/parley/v1/document_service_pb.ts';
import { type Document, isDocumentPosition, type NewDocument } from '../documents/document.ts';
import type { Documents, SearchQuery } from '../documents/documents.ts';
import { fieldInvalid } from '../errors.ts';
import type { Call } from '../rpc/call.ts';
import { encode } from '../rpc/codec.ts';
import { Page } from '../rpc/paging.ts';
import type { ServiceImpl } from '../rpc/service.ts';
import { timestamp } from './messages.ts';
import { keyOf } from './session_input.ts';
import { repeated } from './wire.ts';

const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 100;

export class DocumentService implements ServiceImpl<typeof Proto> {
  readonly #documents: Documents;

  constructor(documents: Documents) {
    this.#documents = documents;
  }

  async createDocument(request: CreateDocumentRequest, call: Call) {
    const input = newDocument(request);
    const document = await this.#documents.create(keyOf(request), request.documentId, input, call);
    return { document: documentMessage(document, input.content) };
  }

  async getDocument(request: GetDocumentRequest) {
    const { content, ...document } = await this.#documents.get(keyOf(request), request.documentId);
    return { document: documentMessage(document, content) };
  }

  async listDocuments(request: ListDocumentsRequest) {
    const page = new Page(ListDocumentsRequestSchema, request, isDocumentPosition);
    for await (const document of this.#documents.list(keyOf(request), request.metadataFilter, page.after)) {
      const position = { time: document.createTime, documentId: document.documentId };
      if (!page.add(encode(DocumentSchema, documentMessage(document)), position)) break;
    }
    const rest = create(ListDocumentsResponseSchema, { nextPageToken: page.nextPageToken });
    const documents = ListDocumentsResponseSchema.field.documents.number;
    return repeated(documents, page.items, toBinary(ListDocumentsResponseSchema, rest));
  }

  async deleteDocument(request: DeleteDocumentRequest, call: Call) {
    await this.#documents.delete(keyOf(request), request.documentId, request.allowMissing, call);
    return {};
  }

  async searchDocuments(request: SearchDocumentsRequest, call: Call) {
    const { text, metadataFilter } = request;
    const limit = Math.min(request.limit || DEFAULT_LIMIT, MAX_LIMIT);
    const query = { text, mode: MODES[request.mode] ?? 'AUTO', metadataFilter, limit };
    const { results, mode } = await this.#documents.search(keyOf(request), query, call);
    return {
      results: results.map((result) => ({ ...result, document: documentMessage(result.document) })),
      mode: SearchMode[mode],
    };
  }
}

/** By the numbers of the proto's enum. */
const MODES: Readonly<Record<number, SearchQuery['mode']>> = {
  [SearchMode.TEXT]: 'TEXT',
  [SearchMode.VECTOR]: 'VECTOR',
  [SearchMode.HYBRID]: 'HYBRID',
};

function newDocument({ document, documentId }: CreateDocumentRequest): NewDocument {
  const { title, content, metadata = {}, documentId: inside } = document!;
  if (inside !== '' && inside !== documentId) {
    throw fieldInvalid('document.document_id', 'is not the document_id of the request');
  }
  return { title, content, metadata };
}

function documentMessage(document: Document, content = ''): MessageInitShape<typeof DocumentSchema> {
  return { ...document, content, createTime: timestamp(document.createTime) };
}
