from django.apps import AppConfig


class LeaderboardConfig(AppConfig):
    name = "leaderboard"

    def ready(self) -> None:
        from leaderboard import awarding, badge_rules, belongings, deeds, described, findable, moderated
        from leaderboard.challenges import judging
        from leaderboard.comparing import telling

        described.register()
        findable.register()
        moderated.register()
        badge_rules.register()
        awarding.register()
        deeds.register()
        belongings.register()
        judging.register()
        telling.register()
