# Comments on a repository.
comment-of = Comments on { $name }
comment-not-allowed = Comments are switched off on this site. Only people who manage this repository can see this page.
comment-closed = Comments are closed. Only people who manage this repository can see this page.
comment-to-moderate = Waiting for your decision
comment-reasons = Reported because:
comment-new = Write a comment
comment-text = Text
comment-hint = Markdown is supported. Pictures are not shown.
comment-newcomers = Your first comment appears once somebody has approved it.
comment-write = Comment
comment-sign-in = Sign in to comment
comment-all = All comments
comment-none = No comments yet.
comment-rest = More replies
comment-answer = Reply
comment-answer-do = Send reply
comment-edit = Edit
comment-edited = edited
comment-save = Save
comment-report = Report
comment-reason = What is wrong with it?
comment-report-do = Send report
comment-reports =
    { $n ->
        [one] { $n } report
       *[other] { $n } reports
    }
comment-delete = Delete
comment-delete-text = The text is deleted for good. Its place in the thread stays.
comment-delete-do = Delete comment
comment-is-deleted = This comment was deleted.
comment-is-locked = This thread is locked.
comment-hide = Hide
comment-show = Show
comment-lock = Lock thread
comment-unlock = Unlock thread
comment-waiting = Waiting for approval
comment-hidden = Hidden
comment-done-written = Your comment has been posted.
comment-done-waits = Thank you. Your comment will appear once somebody has approved it.
comment-done-edited = Your comment has been changed.
comment-done-deleted = The comment has been deleted.
comment-done-reported = Thank you. The people who manage this repository will look at it.
comment-done-shown = The comment is now visible.
comment-done-hidden = The comment is now hidden.
comment-done-locked = The thread is now locked.
comment-done-unlocked = The thread is open again.
