# Comments on a repository.
comment-of = Comments on { $name }
comment-not-allowed = This site has no comments. Only those who manage the repository see this page.
comment-closed = Comments are closed. Only those who manage the repository see this page.
comment-to-moderate = Waiting for your verdict
comment-reasons = People say:
comment-new = Write a comment
comment-text = Text
comment-hint = Markdown; pictures are left out.
comment-newcomers = Your first comment waits until somebody has looked at it.
comment-write = Comment
comment-sign-in = Sign in to comment
comment-all = All comments
comment-none = Nobody has written here yet.
comment-rest = More answers
comment-answer = Answer
comment-answer-do = Send the answer
comment-edit = Edit
comment-edited = edited
comment-save = Save
comment-report = Report
comment-reason = What is wrong with it?
comment-report-do = Report it
comment-reports =
    { $n ->
        [one] { $n } report
       *[other] { $n } reports
    }
comment-delete = Delete
comment-delete-text = Its text is gone for good; its place in the thread stays.
comment-delete-do = Delete the comment
comment-is-deleted = This comment was deleted.
comment-is-locked = This thread is locked.
comment-hide = Hide
comment-show = Show
comment-lock = Lock the thread
comment-unlock = Unlock the thread
comment-waiting = Waits to be shown
comment-hidden = Hidden
comment-done-written = Your comment is there.
comment-done-waits = Thank you. Your comment is shown when somebody has looked at it.
comment-done-edited = Your comment is changed.
comment-done-deleted = The comment is deleted.
comment-done-reported = Thank you. Those who manage the repository will look at it.
comment-done-shown = The comment is shown.
comment-done-hidden = The comment is hidden.
comment-done-locked = The thread is locked.
comment-done-unlocked = The thread is open again.
