"""Words about orders (contract florist 1.2)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.florist import errors
from apps.florist.actions import comments
from apps.florist.api import order_shapes as shapes
from apps.florist.api.base import Body, Id, Skip, Trimmed
from apps.florist.api.orders import OrderView
from apps.florist.models import Comment
from apps.florist.queries import orders as questions

Text = Annotated[str, Trimmed, Field(min_length=1, max_length=comments.LONGEST)]


class CommentPath(Shape):
    """Which comment."""

    comment_id: Id


class CommentsQuery(Shape):
    """A page; the original allows a thousand."""

    skip: Skip = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class CommentIn(Body):
    """`author_type` is taken and not believed: whoever is signed in is of the shop."""

    text: Text
    author_type: Comment.Author = Comment.Author.STAFF
    customer_name: shapes.Name | None = None
    is_public: bool = False


class CommentPatch(Body):
    """Any of it."""

    text: Text | None = None
    is_public: bool | None = None


class Comments(OrderView):
    """Comments of an order."""

    tag = "comments"

    @endpoint(
        path=shapes.OrderPath,
        query=CommentsQuery,
        login="required",
        answers={200: shapes.CommentList},
        refusals=[errors.OrderNotFound],
        summary="Comments of an order",
    )
    def get(self, request: Any, *, order_id: int, query: CommentsQuery) -> dict[str, Any]:
        """Oldest first."""
        order = questions.one(by=request.member, order_id=order_id)
        found, total = questions.comments_of(order, skip=query.skip, limit=query.limit)
        return self.wire.paged([questions.comment_out(comment, by=request.member) for comment in found], total)

    @endpoint(
        path=shapes.OrderPath,
        body=CommentIn,
        login="required",
        answers={201: shapes.CommentOut},
        refusals=[errors.OrderNotFound],
        summary="Say something about an order",
    )
    def post(self, request: Any, *, order_id: int, body: CommentIn) -> dict[str, Any]:
        """The buyer sees it only with `is_public`."""
        comment = comments.add(
            by=request.member,
            order_id=order_id,
            text=body.text,
            customer_name=body.customer_name,
            is_public=body.is_public,
        )
        return questions.comment_out(comment, by=request.member)


class OneComment(OrderView):
    """One comment."""

    tag = "comments"

    @endpoint(
        path=CommentPath,
        body=CommentPatch,
        login="required",
        answers={200: shapes.CommentOut},
        refusals=[errors.CommentNotFound],
        summary="Change a comment",
    )
    def patch(self, request: Any, *, comment_id: int, body: CommentPatch) -> dict[str, Any]:
        """By its author."""
        comment = comments.change(by=request.member, comment_id=comment_id, text=body.text, is_public=body.is_public)
        return questions.comment_out(comment, by=request.member)

    @endpoint(
        path=CommentPath,
        login="required",
        answers={200: shapes.Message},
        refusals=[errors.CommentNotFound],
        summary="Delete a comment",
    )
    def delete(self, request: Any, *, comment_id: int) -> dict[str, str]:
        """By its author; the owner deletes anybody's."""
        comments.remove(by=request.member, comment_id=comment_id)
        return {"detail": "Comment deleted successfully"}


urlpatterns = [
    path("api/orders/<str:order_id>/comments", Comments, name="order-comments"),
    path("api/comments/<str:comment_id>", OneComment, name="comment"),
]
