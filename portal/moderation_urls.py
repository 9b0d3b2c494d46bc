"""Addresses of reports, moderation, appeals, and what everybody may read of them."""

from django.urls import path

from portal.views import (
    moderation,
    moderation_appeals,
    moderation_public,
    moderation_reports,
    moderation_rules,
)

urlpatterns = [
    path("reports", moderation_reports.reports, name="reports"),
    path("reports/new", moderation_reports.report, name="report"),
    path("moderation", moderation.queue, name="moderation"),
    path("moderation/bulk", moderation.bulk, name="moderation_bulk"),
    path("moderation/cases/<int:case_id>", moderation.case, name="moderation_case"),
    path("moderation/cases/<int:case_id>/claim", moderation.claim, name="moderation_claim"),
    path("moderation/cases/<int:case_id>/decision", moderation.decision, name="moderation_decision"),
    path(
        "moderation/decisions/<int:decision_id>/confirmation", moderation.confirmation, name="moderation_confirmation"
    ),
    path("moderation/decisions/<int:decision_id>/undoing", moderation.undoing, name="moderation_undoing"),
    path("moderation/appeals", moderation_appeals.appeals, name="moderation_appeals"),
    path("moderation/appeals/<int:appeal_id>", moderation_appeals.appeal, name="moderation_appeal"),
    path("moderation/appeals/<int:appeal_id>/answer", moderation_appeals.answer, name="moderation_answer"),
    path("moderation/words", moderation_rules.words, name="moderation_words"),
    path("moderation/words/<int:word_id>/removal", moderation_rules.removal, name="moderation_word_removal"),
    path("moderation/settings", moderation_rules.rules, name="moderation_rules"),
    path("moderation/log", moderation_rules.log, name="moderation_log"),
    path("appeals", moderation_appeals.notices, name="notices"),
    path("appeals/<int:notice_id>", moderation_appeals.notice, name="notice"),
    path("appeals/from-sign-in/<str:ticket>", moderation_appeals.from_sign_in, name="appeal_from_sign_in"),
    path("rules", moderation_public.rules, name="house_rules"),
    path("transparency", moderation_public.numbers, name="transparency"),
]
