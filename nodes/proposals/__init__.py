"""Deciding together from the command line: actions in words, and a node's JSON-RPC to send them."""

from nodes.proposals.actions import ACTIONS, Action, ActionContext, parse_actions, with_votes
from nodes.proposals.client import Made, ProposalClient, Shown
from nodes.proposals.errors import ActionInvalid, CallRefused, ProposalError
from nodes.proposals.rpc import RpcClient

__all__ = [
    "ACTIONS",
    "Action",
    "ActionContext",
    "ActionInvalid",
    "CallRefused",
    "Made",
    "ProposalClient",
    "ProposalError",
    "RpcClient",
    "Shown",
    "parse_actions",
    "with_votes",
]
