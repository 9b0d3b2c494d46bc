from django.apps import AppConfig


class LeaderboardConfig(AppConfig):
    name = "leaderboard"

    def ready(self) -> None:
        from leaderboard import awarding, badge_rules, belongings, deeds, described, findable, moderated

        described.register()
        findable.register()
        moderated.register()
        badge_rules.register()
        awarding.register()
        deeds.register()
        belongings.register()
