//! Messages of `-debug=rpc`, `-debug=http` and `-debug=zmq`: what the node's operator asks of it and is told.

use bmon_event::{BlockHash, Txid};

use crate::{format::Word, message::message};

message! {
    /// An RPC method is called.
    RpcCalled<'a> {
        /// The method.
        method: Word<'a>,
        /// Name of the user.
        user: &'a [u8],
    }
    in Rpc;
    "32?.." "src/rpc/request.cpp:241@31.99": "ThreadRPCServer method=%s user=%s id=%s" (method, user, ..);
    "29?..=30?" "src/rpc/request.cpp:243@30.99": "ThreadRPCServer method=%s user=%s" (method, user);
}

message! {
    /// An HTTP request arrived, for RPC or REST.
    HttpRequest<'a> {
        /// The HTTP method.
        method: Word<'a>,
        /// The path, as far as it is harmless.
        path: &'a [u8],
        /// Address and port that it came from.
        address: &'a [u8],
    }
    in Http;
    "0.16?.." "src/httpserver.cpp:232@31.99": "Received a %s request for %s from %s" (method, path, address);
}

message! {
    /// A block's hash is published by ZMQ, because it is the new tip.
    ZmqBlock<'a> {
        /// The block.
        block: BlockHash,
        /// The publisher's address.
        address: &'a [u8],
    }
    in Zmq;
    "29?.." "src/zmq/zmqpublishnotifier.cpp:213@31.99": "Publish hashblock %s to %s" (block, address);
    "29?.." "src/zmq/zmqpublishnotifier.cpp:234@31.99": "Publish rawblock %s to %s" (block, address);
}

message! {
    /// A block that was connected is published by ZMQ's topic `sequence`.
    ZmqBlockConnected {
        /// The block.
        block: BlockHash,
    }
    in Zmq;
    "29?.." "src/zmq/zmqpublishnotifier.cpp:270@31.99": "Publish sequence block connect %s to %s" (block, ..);
}

message! {
    /// A block that was disconnected is published by ZMQ's topic `sequence`.
    ZmqBlockDisconnected {
        /// The block.
        block: BlockHash,
    }
    in Zmq;
    "29?.." "src/zmq/zmqpublishnotifier.cpp:277@31.99": "Publish sequence block disconnect %s to %s" (block, ..);
}

message! {
    /// A transaction that entered the mempool is published by ZMQ's topic `sequence`.
    ZmqTransactionAdded {
        /// The transaction.
        txid: Txid,
    }
    in Zmq;
    "29?.." "src/zmq/zmqpublishnotifier.cpp:284@31.99": "Publish hashtx mempool acceptance %s to %s" (txid, ..);
}

message! {
    /// A transaction that left the mempool is published by ZMQ's topic `sequence`.
    ZmqTransactionRemoved {
        /// The transaction.
        txid: Txid,
    }
    in Zmq;
    "29?.." "src/zmq/zmqpublishnotifier.cpp:291@31.99": "Publish hashtx mempool removal %s to %s" (txid, ..);
}

message! {
    /// A transaction is published by ZMQ.
    ZmqTransaction {
        /// The transaction.
        txid: Txid,
    }
    in Zmq;
    "29?.." "src/zmq/zmqpublishnotifier.cpp:224@31.99": "Publish hashtx %s to %s" (txid, ..);
    "29?.." "src/zmq/zmqpublishnotifier.cpp:248@31.99": "Publish rawtx %s to %s" (txid, ..);
}
