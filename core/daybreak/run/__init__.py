"""daybreak.run"""
