"""daybreak.suite"""
