/// Perdure: durable execution for C++.
///
/// What this is: the umbrella. Include it in files that define or start agents.
/// What it promises: it pulls in the standard library, Boost.Outcome (its narrow headers) and
/// Boost.Describe, and nothing else.
/// What it does not: bring CAF, FlatBuffers or LMDB into your files; see perdure/caf.hpp and
/// perdure/flatbuffers.hpp where you want them.
#pragma once

#include <perdure/agent.hpp>
#include <perdure/blob.hpp>
#include <perdure/budget.hpp>
#include <perdure/cancel.hpp>
#include <perdure/child.hpp>
#include <perdure/codec.hpp>
#include <perdure/combinators.hpp>
#include <perdure/context.hpp>
#include <perdure/describe.hpp>
#include <perdure/error.hpp>
#include <perdure/explain.hpp>
#include <perdure/handler_options.hpp>
#include <perdure/json_schema.hpp>
#include <perdure/log.hpp>
#include <perdure/operations.hpp>
#include <perdure/peer.hpp>
#include <perdure/query.hpp>
#include <perdure/result.hpp>
#include <perdure/run_id.hpp>
#include <perdure/runtime.hpp>
#include <perdure/saga.hpp>
#include <perdure/session.hpp>
#include <perdure/signal.hpp>
#include <perdure/step.hpp>
#include <perdure/table.hpp>
#include <perdure/task.hpp>
#include <perdure/tool.hpp>
#include <perdure/transaction.hpp>
#include <perdure/undo.hpp>
#include <perdure/waits.hpp>
